// Many who end at once: in order, none forgotten, and others have their turn between them.

import { test } from 'tap'
import { leave } from '../../lib/net/leaving.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Takes so long */
function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test('one end is done at once', (t) => {
  let ended = false
  leave(() => {
    ended = true
  })
  t.ok(ended)
  t.end()
})

test('of many some are done in each turn of the event loop, in order', async (t) => {
  await turn()
  const all = Array.from({ length: 20 }, (_, i) => i)
  const ended: number[] = []
  for (const who of all)
    leave(() => {
      busy(3)
      ended.push(who)
    })
  t.ok(ended.length > 0 && ended.length < 10, `${ended.length} at once`)
  let turns = 0
  for (; ended.length < all.length; turns++) await turn()
  t.same(ended, all)
  t.ok(turns > 2, `${turns} turns for the others`)
})
