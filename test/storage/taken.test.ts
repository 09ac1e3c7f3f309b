// The cursor of an account: it does not pass what one device alone is owed, and all that is remembered of
// that is bounded.

import { test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import type { Journal } from '../../lib/storage/journal.js'
import { Taken } from '../../lib/storage/taken.js'

function scene() {
  const written: unknown[] = []
  const journal = { ride: (_table: string, row: unknown) => written.push(row) }
  const found = { where: () => ({ first: async () => undefined }) }
  const database = { reader: () => found }
  const taken = new Taken(database as unknown as Database, journal as unknown as Journal)
  return { taken, written }
}

test('the cursor stays before what one device has yet to acknowledge, and then goes on', async (t) => {
  const { taken } = scene()
  taken.owe(1, 11, 'phone')
  taken.owe(1, 9, 'phone')
  taken.advance(1, 12)
  t.equal(await taken.of(1), 8)
  t.ok(taken.had(1, 9))
  t.equal(await taken.of(1), 10)
  taken.advance(2, 12)
  t.equal(await taken.of(2), 12, 'of another account it says nothing')
  t.ok(taken.had(1, 11))
  t.notOk(taken.had(1, 11))
  t.equal(await taken.of(1), 12)
})

test('what nobody takes in its place keeps the cursor where it is', async (t) => {
  const { taken } = scene()
  taken.owe(1, 11, 'phone')
  taken.advance(1, 12)
  t.same(taken.owedTo(1, 'phone'), [11])
  t.same(taken.owedTo(1, 'laptop'), [])
  taken.givenBack(1, 11, false)
  t.equal(await taken.of(1), 10)
  taken.advance(1, 13)
  t.equal(await taken.of(1), 13, 'whoever came since had it')
})

test('beyond a bound the cursor waits for all that were owed (LIM-by-name)', async (t) => {
  const { taken } = scene()
  for (let id = 1; id <= 3000; id++) taken.owe(1, id, 'phone')
  t.equal(taken.owedTo(1, 'phone').length, 1000)
  taken.advance(1, 5000)
  for (let id = 1; id < 3000; id++) {
    taken.had(1, id)
    if (id % 500 === 0) t.equal(await taken.of(1), id)
  }
  taken.had(1, 3000)
  t.equal(await taken.of(1), 5000)
})

test('what was taken out of turn is remembered up to a bound (LIM-taken-apart)', (t) => {
  const { taken } = scene()
  for (let id = 1; id <= 3000; id++) taken.tookApart(1, id)
  t.equal(taken.apart(1).size, 1000)
  t.ok(taken.apart(1).has(3000))
  for (let account = 1; account <= 12_000; account++) taken.tookApart(account, 1)
  t.equal([...taken.allApart()].length, 10_000)
  taken.forgetApart(12_000, [1])
  t.equal(taken.apart(12_000).size, 0)
  t.equal([...taken.allApart()].length, 9999)
  t.end()
})
