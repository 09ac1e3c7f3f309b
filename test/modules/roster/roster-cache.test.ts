// Rosters in memory.

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { blankItem, type Item } from '../../../modules/roster/item.js'
import { type Roster, RosterCache } from '../../../modules/roster/roster-cache.js'
import type { RosterStore, StoredChange, StoredRoster } from '../../../modules/roster/store.js'
import { ManualClock } from '../../world/clock.js'

const juliet = Jid.parse('juliet@capulet.example')

function item(contact: Jid, version: number, parts: Partial<Item> = {}): Item {
  return { ...blankItem(contact), listed: true, version, ...parts }
}

function change(now: Item, floor?: number): StoredChange {
  return { before: blankItem(now.contact), now, version: now.version, floor }
}

class SlowStore {
  readonly reads: { account: number; give(roster: StoredRoster): void }[] = []

  load(account: number): Promise<StoredRoster> {
    return new Promise((give) => this.reads.push({ account, give }))
  }
}

function setUp(options: { most?: number; believed?: number } = {}) {
  const store = new SlowStore()
  const clock = new ManualClock()
  const cache = new RosterCache({
    store: store as unknown as RosterStore,
    clock,
    believed: () => options.believed ?? Number.POSITIVE_INFINITY,
    ...(options.most === undefined ? {} : { most: options.most }),
  })
  const load = async (account: number, items: Item[] = []): Promise<void> => {
    const loaded = cache.get(account)
    const version = Math.max(0, ...items.map((item) => item.version))
    store.reads.at(-1)!.give({ version, floor: 0, items })
    await loaded
  }
  return { store, clock, cache, load }
}

test('a roster is read once, and is at hand from then on', async (t) => {
  const { cache, store } = setUp()
  const both = [cache.get(1), cache.get(1)]
  t.equal(store.reads.length, 1)
  store.reads[0]!.give({ version: 1, floor: 0, items: [item(juliet, 1, { subscription: 'both' })] })
  const [roster] = await Promise.all(both)
  t.equal(cache.get(1), roster)
  t.same([roster!.sees, roster!.seenBy].map(String), [String(juliet), String(juliet)])
})

test('what is committed while a roster is being read is not lost', async (t) => {
  const { cache, store } = setUp()
  const loading = cache.get(1)
  cache.apply(1, change(item(juliet, 2, { name: 'new' })))
  store.reads[0]!.give({ version: 1, floor: 0, items: [item(juliet, 1, { name: 'old' })] })
  const roster = await loading
  t.equal(roster.item(juliet).name, 'new')
  t.equal(roster.version, 2)
})

test('an older change does not undo a newer one', async (t) => {
  const { cache, load } = setUp()
  await load(1, [item(juliet, 5, { name: 'new' })])
  cache.apply(1, change(item(juliet, 4, { name: 'old' })))
  const roster = await cache.get(1)
  t.equal(roster.item(juliet).name, 'new')
})

test('a roster that is forgotten while it is read is not kept', async (t) => {
  const { cache, store } = setUp()
  const loading = cache.get(1)
  cache.forget(1)
  store.reads[0]!.give({ version: 1, floor: 0, items: [] })
  await loading
  t.equal(cache.cost, 0)
  cache.get(1)
  t.equal(store.reads.length, 2)
})

test('a store that fails is asked again', async (t) => {
  const { cache, store } = setUp()
  store.load = () => Promise.reject(new Error('the database is away'))
  await t.rejects(Promise.resolve(cache.get(1)), { message: /away/ })
  store.load = async () => ({ version: 0, floor: 0, items: [] })
  t.equal((await cache.get(1)).length, 0)
})

test('counts, removals and requests follow the changes', async (t) => {
  const { cache, load } = setUp()
  await load(1, [item(juliet, 1)])
  const roster = await cache.get(1)
  cache.apply(1, change(item(juliet, 2, { listed: false, removed: true })))
  t.same([roster.length, roster.items().length, roster.changedSince(1).length], [0, 0, 1])
  cache.apply(1, change(item(juliet, 3, { listed: false, removed: true, pendingIn: true })))
  t.equal(roster.requests().length, 1)
  cache.apply(1, change(item(Jid.parse('x@x.example'), 4, { listed: false, removed: true }), 4))
  t.same([roster.size, roster.floor, roster.changedSince(0).length], [1, 4, 0])
})

test('LIM-roster-cache: the cache is bounded by items; who was not used goes first', async (t) => {
  const { cache, load, store } = setUp({ most: 100 })
  const items = Array.from({ length: 18 }, (_, at) => item(Jid.parse(`c${at}@x.example`), at + 1))
  for (let account = 1; account <= 5; account++) await load(account, items)
  t.equal(cache.cost, 100)
  cache.get(1)
  await load(6, items)
  t.ok(cache.cost <= 100)
  t.notOk(cache.get(1) instanceof Promise, 'used lately')
  const reads = store.reads.length
  cache.get(2)
  t.equal(store.reads.length, reads + 1, 'not used for longest')
})

test('what another node changed while a roster was being read is not kept', async (t) => {
  const { cache, store } = setUp()
  const before = cache.get(1)
  cache.forget(1)
  const after = cache.get(1)
  t.equal(store.reads.length, 2, 'the second one knows of the change')
  store.reads[1]!.give({ version: 2, floor: 0, items: [item(juliet, 2, { name: 'new' })] })
  store.reads[0]!.give({ version: 1, floor: 0, items: [item(juliet, 1, { name: 'old' })] })
  await Promise.all([before, after])
  t.equal((cache.get(1) as Roster).item(juliet).name, 'new')
})

test('a roster that lacks a change of another node takes no later one', async (t) => {
  const { cache, load, store } = setUp()
  await load(1, [item(juliet, 1)])
  cache.apply(1, change(item(juliet, 3, { name: 'third' })))
  t.ok(cache.get(1) instanceof Promise)
  t.equal(store.reads.length, 2)
})

test('while other nodes cannot be heard, a roster is believed for a moment only', async (t) => {
  const { cache, clock, load, store } = setUp({ believed: 1000 })
  await load(1)
  clock.advance(900)
  t.notOk(cache.get(1) instanceof Promise)
  clock.advance(200)
  cache.get(1)
  t.equal(store.reads.length, 2)
})
