// The store of rosters, on SQLite and on PostgreSQL.

import { test, type Test } from 'tap'
import { Database } from '../../../lib/storage/database.js'
import { migrate } from '../../../lib/storage/migrations.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { inState, type Item } from '../../../modules/roster/item.js'
import { type Alter, RosterStore, type StoredChange } from '../../../modules/roster/store.js'
import { inbound, outbound } from '../../../modules/roster/subscriptions.js'
import { migrations } from '../../../modules/roster/tables.js'
import { freshPostgres } from '../../world/postgres.js'

const juliet = Jid.parse('juliet@capulet.example')
const nurse = Jid.parse('nurse@capulet.example')

const kinds = {
  SQLite: async () => 'sqlite:memory',
  PostgreSQL: freshPostgres,
}

for (const [kind, url] of Object.entries(kinds)) {
  contract(kind, async (t) => {
    const database = await Database.open({ url: await url(), folder: '', durability: 'crash' })
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'roster', migrations }])
    return new Opened(database)
  })
}

class Opened {
  readonly store: RosterStore
  readonly database: Database

  constructor(database: Database) {
    this.database = database
    this.store = new RosterStore(database)
  }

  change(account: number, contact: Jid, alter: Alter): Promise<StoredChange> {
    return this.database.transaction((trx) => this.store.change(trx, { account, contact }, alter))
  }
}

const listed = (name: string) => (item: Item) => ({ ...item, name, listed: true })
const unlisted = (item: Item) => ({ ...item, name: '', groups: [], listed: false })

function contract(kind: string, open: (t: Test) => Promise<Opened>): void {
  test(`${kind}: an item is what it was`, async (t) => {
    const { store, ...opened } = await open(t).then((o) => ({
      store: o.store,
      change: o.change.bind(o),
    }))
    const alter = (item: Item): Item => ({
      ...item,
      name: 'Ĵuliet 💘',
      groups: ['Verona', "Cap'ulets"],
      subscription: 'from',
      pendingOut: true,
      approved: true,
      listed: true,
    })
    const { now } = await opened.change(1, juliet, alter)
    const roster = await store.load(1)
    t.same(roster.items, [now])
    t.equal(roster.version, 1)
    t.same((await store.load(2)).items, [], 'the next account has none of it')
  })

  test(`${kind}: a request is kept as it came, and hidden (RFC 6121 §3.1.3)`, async (t) => {
    const opened = await open(t)
    const wire = "<presence type='subscribe'><status>\u00c3\u00a9</status></presence>"
    await opened.change(1, juliet, (item) => inState(item, inbound(item, 'subscribe').next, wire))
    const [item] = (await opened.store.load(1)).items
    t.match(item, { request: wire, pendingIn: true, listed: false })
    await opened.change(1, juliet, (found) => inState(found, outbound(found, 'unsubscribed').next))
    t.same((await opened.store.load(1)).items, [], 'nothing is left when it is denied')
  })

  test(`${kind}: changes at the same time do not lose each other`, async (t) => {
    const opened = await open(t)
    const both = await Promise.all([
      opened.change(1, juliet, (item) => inState(item, outbound(item, 'subscribe').next)),
      opened.change(1, juliet, (item) =>
        inState(item, inbound(item, 'subscribe').next, '<presence/>'),
      ),
    ])
    t.same(both.map(({ version }) => version).sort(), [1, 2])
    const [item] = (await opened.store.load(1)).items
    t.match(item, { pendingOut: true, pendingIn: true })
  })

  test(`${kind}: what changes nothing is not written`, async (t) => {
    const opened = await open(t)
    await opened.change(1, juliet, listed('Juliet'))
    await opened.change(1, juliet, (item) => item)
    const [item] = (await opened.store.load(1)).items
    t.equal(item?.version, 1)
  })

  test(`${kind}: a removed item is remembered as removed (RFC 6121 §2.6)`, async (t) => {
    const opened = await open(t)
    await opened.change(1, juliet, listed('Juliet'))
    await opened.change(1, juliet, unlisted)
    t.match((await opened.store.load(1)).items, [{ removed: true, listed: false, version: 2 }])
    await opened.change(1, juliet, (item) =>
      inState(item, inbound(item, 'subscribe').next, '<presence/>'),
    )
    t.match((await opened.store.load(1)).items, [{ removed: true, pendingIn: true }])
    await opened.change(1, juliet, listed('again'))
    t.match((await opened.store.load(1)).items, [{ removed: false, listed: true }])
  })

  test(`${kind}: LIM-roster-removals: removals are remembered up to a bound`, async (t) => {
    const opened = await open(t)
    const { database, store } = opened
    const contacts = Array.from({ length: 101 }, (_, at) => Jid.parse(`c${at}@capulet.example`))
    await database.transaction(async (trx) => {
      for (const contact of contacts) await store.change(trx, { account: 1, contact }, listed('x'))
      for (const contact of contacts.slice(1))
        await store.change(trx, { account: 1, contact }, unlisted)
    })
    const full = await store.load(1)
    t.equal(full.items.length, 101)
    t.equal(full.floor, 0)
    const { floor } = await opened.change(1, contacts[0]!, unlisted)
    t.equal(floor, 202)
    t.match(await store.load(1), { version: 202, floor: 202, items: [] })
  })

  test(`${kind}: who has an address in the roster is found, and a roster goes whole`, async (t) => {
    const opened = await open(t)
    const { database, store } = opened
    for (const account of [1, 2]) await opened.change(account, juliet, listed('Juliet'))
    await opened.change(3, nurse, listed('Nurse'))
    const found = await database.transaction((trx) => store.mentioning(trx, juliet))
    t.same(found.sort(), [1, 2])
    await database.transaction((trx) => store.remove(trx, 1))
    t.same(await store.load(1), { version: 0, floor: 0, items: [] })
    t.equal((await store.load(2)).items.length, 1)
  })
}
