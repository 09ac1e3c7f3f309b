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

test('where others write too, the disk has it when nothing older can come any more (XEP-0198 §4)', async (t) => {
  const { taken, written } = scene()
  let certain = 5
  taken.certain = () => certain
  taken.advance(1, 4)
  t.same(written, [{ account: 1, id: 4 }], 'that is certain')
  taken.advance(1, 11)
  t.equal(await taken.of(1), 11, 'in memory it is exact')
  taken.ride()
  t.equal(written.length, 1)
  certain = 10
  taken.advance(1, 12)
  taken.ride()
  t.equal(written.length, 1)
  certain = 11
  taken.ride()
  t.same(written.slice(1), [{ account: 1, id: 11 }])
  certain = 12
  taken.ride()
  taken.ride()
  t.same(written.slice(2), [{ account: 1, id: 12 }])
})

test('what the disk does not say yet can be said to another node, which writes nothing of it', async (t) => {
  const [here, there] = [scene(), scene()]
  here.taken.certain = () => 10
  here.taken.advance(1, 10)
  t.equal(here.taken.ahead(1), undefined)
  here.taken.advance(1, 11)
  t.equal(here.taken.ahead(1), 11)
  there.taken.learn(1, 11)
  there.taken.learn(1, 9)
  t.equal(await there.taken.of(1), 11)
  there.taken.ride()
  t.same(there.written, [])
})

test('of accounts that wait for it there is a bound (LIM-taken-waiting)', (t) => {
  const { taken, written } = scene()
  let certain = 0
  taken.certain = () => certain
  for (let account = 1; account <= 500_000; account++) taken.advance(account, account)
  certain = 500_000
  taken.ride()
  t.equal(written.length, 300_000)
  t.same(written.at(-1), { account: 500_000, id: 500_000 })
  t.end()
})

test('in memory are the cursors that moved last (LIM-taken)', async (t) => {
  const { taken } = scene()
  for (let account = 1; account <= 200_000; account++) taken.advance(account, 7)
  t.equal(await taken.of(1), 0, 'the database has it')
  t.equal(await taken.of(200_000), 7)
  t.equal(await taken.of(150_001), 7)
})
