// Who was named in rooms and has not seen it: a row for each of them that belongs to the room, whether it is
// there or not, written behind the message. It goes when that is displayed, or the room is no more.

import type { Host } from '../../../lib/core/host.js'
import type { Migration } from '../../../lib/storage/migrations.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { RoomFeature, Spoken } from '../feature.js'
import { mentioned, namesSomebody } from './mentioned.js'
import { isAtLeast } from '../standing.js'

export const mentionTables: readonly Migration[] = [
  {
    name: 'create room_mentions',
    up: (schema) =>
      schema.createTable('room_mentions', (table) => {
        // Bare addresses
        table.text('account').notNullable()
        table.text('room').notNullable().index()
        // Number in the message log
        table.bigInteger('id').notNullable()
        table.primary(['account', 'room', 'id'])
      }),
  },
]

/** LIM-mentions-kept: of one account; nobody counts more. */
export const MOST_KEPT = 5000

/** For whoever wakes people up: somebody of this server is named in a room to which it belongs. */
declare module '../../../lib/core/events.js' {
  interface Events {
    'rooms:mentioned': { account: Jid; room: Jid; log: number; id: number }
    /** On disk, and sent to all who are there: said by somebody, to be seen by those who belong to it. */
    'rooms:said': { spoken: Spoken; mentions: readonly Jid[] }
  }
}

export class MentionStore {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  /** Numbers by room, of those that are not known to be displayed */
  async of(account: Jid): Promise<ReadonlyMap<string, readonly number[]>> {
    const rows: { room: string; id: number | string }[] = await this.#host.database
      .reader('room_mentions')
      .where({ account: account.bare.text })
      .orderBy('id', 'desc')
      .limit(MOST_KEPT)
      .select('room', 'id')
    const found = new Map<string, number[]>()
    for (const { room, id } of rows) {
      const ids = found.get(room)
      if (ids) ids.push(Number(id))
      else found.set(room, [Number(id)])
    }
    return found
  }

  /** Nobody waits for it. */
  add({ room, id }: Spoken, accounts: readonly Jid[]): void {
    const { journal, server } = this.#host
    const entry = journal.entry()
    for (const account of accounts)
      entry.insert('room_mentions', { account: account.text, room: room.jid.text, id })
    server.pending(journal.commit(entry).catch((error) => this.#host.failed('rooms', error)))
  }

  async displayed({ account, peer, id }: { account: Jid; peer: Jid; id: number }): Promise<void> {
    await this.#host.database
      .knex('room_mentions')
      .where({ account: account.text, room: peer.text })
      .where('id', '<=', id)
      .delete()
  }

  /** Of messages that have expired */
  async tidy(): Promise<void> {
    const [oldest] = await this.#host.messages.scan(0, 1)
    const before = oldest?.id ?? Number.MAX_SAFE_INTEGER
    await this.#host.database.knex('room_mentions').where('id', '<', before).delete()
  }
}

export function countsMentions(store: MentionStore): RoomFeature {
  return {
    name: 'mentions counted',
    spoken(spoken) {
      const { room } = spoken
      if (spoken.id === 0 || !room.settings.persistent) return
      const { host } = room.venue
      const named = namesSomebody(spoken.stanza) ? membersNamed(spoken) : []
      if (named.length > 0) store.add(spoken, named)
      for (const account of named) {
        const event = { account, room: room.jid, log: room.logNumber, id: spoken.id }
        host.server.pending(host.events.emit('rooms:mentioned', event))
      }
      host.server.pending(host.events.emit('rooms:said', { spoken, mentions: named }))
    },
    destroyed: ({ jid }, entry) =>
      entry.write(
        async (trx) => void (await trx('room_mentions').where({ room: jid.text }).delete()),
      ),
  }
}

/** Of this server, and not whoever names itself */
function membersNamed({ room, occupant, stanza }: Spoken): Jid[] {
  const { host } = room.venue
  return [...mentioned(room, stanza)]
    .map((text) => Jid.parse(text))
    .filter(
      (jid) =>
        jid.domain === host.domain &&
        !jid.equals(occupant.account) &&
        isAtLeast(room.affiliations.entry(jid)?.affiliation ?? 'none', 'member'),
    )
}
