// What no archive keeps ends when it is delivered: its rows go some time after the cursor has passed
// them. A bounded number at a time; the rest waits for the next turn.

import type { MessageLog } from '../../lib/storage/message-log.js'

/** LIM-cleaning: accounts in one turn */
const ACCOUNTS = 500
const ROUNDS = 20

export async function clean(messages: MessageLog): Promise<void> {
  for (const { owner, taken } of await messages.ended(ACCOUNTS)) {
    for (let round = 0; round < ROUNDS; round++)
      if ((await messages.dropTaken(owner, taken)) === 0) break
  }
}
