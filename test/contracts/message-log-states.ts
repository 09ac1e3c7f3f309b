// The contract of the message log on logs that are no account's own: how far they have come, for one of many who
// read there.

import { test } from 'tap'
import { KEPT } from '../../lib/storage/logged-message.js'
import { addressOf, answer, juliet, type OpenBook } from './message-book.js'

export function statesContract(name: string, book: OpenBook): void {
  test(`${name}: of several logs the newest, and what others said since then there`, async (t) => {
    const { sayAll, log } = await book(t)
    const [a, b] = await sayAll([
      { text: 'a', label: 5 },
      { text: 'b', label: 6 },
      { text: 'c', label: 5 },
      { text: 'd', received: KEPT },
      { text: 'e', ...answer },
    ])
    const place = (after: number, mine: number) => ({
      ...{ owner: juliet, peer: addressOf.romeo, after, mine },
    })
    const nobody = { owner: 99, peer: addressOf.romeo, after: 0, mine: 0 }
    const states = (): ReturnType<typeof log.states> =>
      log.states([place(0, 5), nobody, place(0, 7), place(b!.id, 6), place(a!.id, 7)])
    const unread = async () => (await states()).map((state) => state.unread)
    t.strictSame(await unread(), [1, 0, 3, 1, 2])
    await log.indexed()
    t.strictSame(await unread(), [1, 0, 3, 1, 2])
    const [f] = await sayAll([{ text: 'f', label: 5 }])
    t.strictSame(await unread(), [1, 0, 4, 2, 3])
    const [first, none] = await states()
    t.equal(first!.id, f!.id)
    t.equal(none!.id, 0)
    await log.replace(b!.id, 'gone')
    t.strictSame(await unread(), [0, 0, 3, 2, 2], 'a tombstone does not count')
    t.strictSame(await log.states([]), [])
  })
}
