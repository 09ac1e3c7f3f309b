// What was said in a room goes when the room does (XEP-0045 §10.9): that it is to go is on disk with the end of
// the room, and taking it away is taken up again until nothing is left. Nobody reaches it meanwhile: a new
// room of the same name has another number.

import type { Host } from '../../../lib/core/host.js'
import type { Migration } from '../../../lib/storage/migrations.js'
import type { RoomFeature } from '../feature.js'

export const goneTables: readonly Migration[] = [
  {
    name: 'create rooms_gone',
    up: (schema) =>
      schema.createTable('rooms_gone', (table) => {
        // Number in the message log of a room that is no more, while something is there
        table.bigInteger('log').primary()
      }),
  },
]

/** Rooms of one run */
const MOST = 100

export const leavesNothing: RoomFeature = {
  name: 'left behind',
  destroyed({ logNumber: log }, entry) {
    entry.write(
      async (trx) => void (await trx('rooms_gone').insert({ log }).onConflict('log').ignore()),
    )
  },
}

export class LeftBehind {
  readonly #host: Host
  #stopped = false

  constructor(host: Host) {
    this.#host = host
  }

  /** Some at a time: others write in between. Stopping waits for the step that is under way. */
  run(): Promise<void> {
    const running = this.#run()
    this.#host.server.pending(running)
    return running
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(): Promise<void> {
    const { database } = this.#host
    const logs: (string | number)[] = await database.knex('rooms_gone').limit(MOST).pluck('log')
    for (const log of logs) if (!this.#stopped) await this.#clear(Number(log))
  }

  async #clear(log: number): Promise<void> {
    const { database, messages } = this.#host
    while (await messages.clear(log)) if (this.#stopped) return
    await database.transaction(async (trx) => {
      await messages.forget(log, trx)
      await trx('rooms_gone').where({ log }).delete()
    })
  }
}
