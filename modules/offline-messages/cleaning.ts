// What no archive keeps ends when it is delivered: its rows go some time after the cursor has passed
// them, or after a device took them out of their turn. A bounded number at a time; the rest waits for the
// next turn.

import { INCOMING, KEPT } from '../../lib/storage/logged-message.js'
import type { MessageLog } from '../../lib/storage/message-log.js'
import type { Taken } from '../../lib/storage/taken.js'

/** LIM-cleaning: accounts in one turn */
const ACCOUNTS = 500
const ROUNDS = 20

export async function clean(messages: MessageLog): Promise<void> {
  for (const { owner, taken } of await messages.ended(ACCOUNTS)) {
    for (let round = 0; round < ROUNDS; round++)
      if ((await messages.dropTaken(owner, taken)) === 0) break
  }
}

export async function cleanApart(messages: MessageLog, taken: Taken): Promise<void> {
  for (const [owner, all] of [...taken.allApart()].slice(0, ACCOUNTS)) {
    const cursor = await taken.of(owner)
    const ids = [...all]
    const beyond = ids.filter((id) => id > cursor)
    const gone = beyond.length > 0 ? await drop(messages, owner, beyond) : []
    taken.forgetApart(owner, [...ids.filter((id) => id <= cursor), ...gone])
  }
}

async function drop(messages: MessageLog, owner: number, ids: number[]): Promise<number[]> {
  const page = await messages.page({ owner, ids, flags: INCOMING, absent: KEPT, limit: ids.length })
  const unkept = page.messages.map(({ id }) => id)
  if (unkept.length > 0) await messages.drop(owner, unkept)
  return unkept
}
