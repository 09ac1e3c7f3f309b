// The contract of the stores of what rooms have beyond XEP-0045, and of bookmarks: what was written last is there,
// what was removed is not, and rooms and accounts are not mixed up.

import { test, type Test } from 'tap'
import { Journal } from '../../lib/storage/journal.js'
import type { JournalEntry } from '../../lib/storage/journal-entry.js'
import { migrate } from '../../lib/storage/migrations.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { BookmarkStore, migrations as bookmarks } from '../../modules/bookmarks/store.js'
import { CardStore } from '../../modules/rooms/setup/card-store.js'
import { Channels } from '../../modules/rooms/finding/channels.js'
import { HatStore } from '../../modules/rooms/people/hat-store.js'
import { migrations as rooms } from '../../modules/rooms/tables.js'
import { TokenStore } from '../../modules/rooms/people/token-store.js'
import type { Venue } from '../../modules/rooms/venue.js'
import { VisitStore } from '../../modules/rooms/said/visit-store.js'
import type { StoreKind } from './stores.js'

export function roomExtensionsContract({ name, fresh }: StoreKind): void {
  async function opened(t: Test) {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [
      { owner: 'rooms', migrations: rooms },
      { owner: 'bookmarks', migrations: bookmarks },
    ])
    const journal = new Journal(database)
    const write = async (change: (entry: JournalEntry) => void): Promise<void> => {
      const entry = journal.entry()
      change(entry)
      await journal.commit(entry)
    }
    return { database, write }
  }

  test(`${name}: a room has one card, with the hashes of its pictures`, async (t) => {
    const { database, write } = await opened(t)
    const store = new CardStore(database.knex)
    t.equal(await store.card(1), undefined)
    t.same(await store.hashes(1), [])
    await write((entry) => store.put(entry, 1, { card: '<vCard/>', hashes: ['a', 'b'] }))
    await write((entry) => store.put(entry, 2, { card: 'é💌', hashes: [] }))
    await write((entry) => store.put(entry, 1, { card: '<vCard>2</vCard>', hashes: ['c'] }))
    t.equal(await store.card(1), '<vCard>2</vCard>')
    t.same(await store.hashes(1), ['c'])
    await write((entry) => store.remove(entry, 1))
    t.equal(await store.card(1), undefined)
    t.equal(await store.card(2), 'é💌')
  })

  test(`${name}: a room has hats, and people wear them`, async (t) => {
    const { database, write } = await opened(t)
    const store = new HatStore(database.knex)
    const [host, scribe] = ['urn:host', 'urn:scribe'].map((uri) => ({ uri, title: 'A', hue: '' }))
    await write((entry) => {
      store.put(entry, 1, host!)
      store.put(entry, 1, scribe!)
      store.put(entry, 2, host!)
      store.assign(entry, 1, { jid: 'a@x', uri: 'urn:host' })
      store.assign(entry, 1, { jid: 'a@x', uri: 'urn:host' })
      store.assign(entry, 1, { jid: 'a@x', uri: 'urn:scribe' })
      store.assign(entry, 1, { jid: 'b@x', uri: 'urn:scribe' })
      store.assign(entry, 2, { jid: 'a@x', uri: 'urn:host' })
    })
    await write((entry) => store.put(entry, 1, { ...host!, title: 'B', hue: '12.5' }))
    const hats = await store.read(1)
    t.same(hats.get('urn:host'), { uri: 'urn:host', title: 'B', hue: '12.5' })
    t.equal(hats.worn().length, 3)
    await write((entry) => store.unassign(entry, 1, { jid: 'b@x', uri: 'urn:scribe' }))
    await write((entry) => store.destroy(entry, 1, 'urn:host'))
    t.same((await store.read(1)).worn(), [{ jid: 'a@x', uri: 'urn:scribe' }])
    await write((entry) => store.remove(entry, 1))
    t.same((await store.read(1)).all(), [])
    t.equal((await store.read(2)).worn().length, 1)
  })

  test(`${name}: tokens are kept with their end and their uses`, async (t) => {
    const { database, write } = await opened(t)
    const store = new TokenStore(database.knex)
    const token = { token: 't', creator: 'a@x', expires: 2 ** 41, uses: -1 }
    await write((entry) => store.put(entry, 1, token))
    await write((entry) => store.put(entry, 1, { ...token, uses: 3 }))
    await write((entry) => store.put(entry, 1, { ...token, token: 'T', expires: 5 }))
    await write((entry) => store.put(entry, 2, token))
    t.same(await store.all(1), [
      { ...token, token: 'T', expires: 5 },
      { ...token, uses: 3 },
    ])
    await write((entry) => store.remove(entry, 1, ['t']))
    t.same(
      (await store.all(1)).map((one) => one.token),
      ['T'],
    )
    await write((entry) => store.clear(entry, 1))
    t.same(await store.all(1), [])
    t.same(await store.all(2), [token])
  })

  test(`${name}: bookmarks of an account, one by one and as a list`, async (t) => {
    const { database, write } = await opened(t)
    const store = new BookmarkStore(database.knex)
    t.equal(await store.read(7), undefined, 'never written')
    const writes = (account: number, rooms: Record<string, string>, gone: string[], rest = '') =>
      write((entry) => {
        store.write(entry, account, { changed: new Map(Object.entries(rooms)), gone, rest })
      })
    await writes(7, { 'b@x': '<b/>', 'a@x': 'é💌' }, [], '<rest/>')
    await writes(8, { 'a@x': 'other' }, [])
    t.same(await store.read(7), {
      rooms: new Map([
        ['a@x', 'é💌'],
        ['b@x', '<b/>'],
      ]),
      rest: '<rest/>',
    })
    await writes(7, { 'a@x': '<a2/>' }, ['b@x'])
    t.same(await store.read(7), { rooms: new Map([['a@x', '<a2/>']]), rest: '' })
    await writes(7, {}, ['a@x'])
    t.same(await store.read(7), { rooms: new Map(), rest: '' }, 'nothing is not never')
    await database.transaction((trx) => store.forget(7, trx))
    t.equal(await store.read(7), undefined)
    t.equal((await store.read(8))?.rooms.size, 1)
  })

  test(`${name}: rooms that may be found, with as many people as are there`, async (t) => {
    const { database } = await opened(t)
    const row = { host: 'x', settings: '{"name":"É"}', subject: '', locked: false, hidden: false }
    const made = [
      { ...row, name: 'b' },
      { ...row, name: 'hidden', hidden: true },
      { ...row, name: 'locked', locked: true },
      { ...row, name: 'elsewhere', host: 'y' },
    ]
    for (const one of made) await database.knex('rooms').insert({ ...one, created: 1 })
    const { number } = await database.knex('rooms').where({ name: 'b', host: 'x' }).first('number')
    const visitors = [
      ['a@x/1', 'A'],
      ['a@x/2', 'A'],
      ['b@x/1', 'B'],
      ['c@x/1', ''],
    ]
    for (const [jid, nick] of visitors)
      await database.knex('room_occupants').insert({
        ...{ visitor: `${number} ${jid}`, at: 1, room: number, nick, role: 'none' },
        ...{ node: '', presence: '' },
      })
    const venue = {
      host: { database, domain: 'x', clock: { now: () => 0 } },
      limits: { mostOccupants: 10, mostHistory: 10 },
      addressOf: (local: string) => Jid.of(local, 'rooms.x'),
    } as unknown as Venue
    const channels = new Channels(venue)
    const all = await channels.all()
    t.same(
      all.map(({ local, users }) => [local, users]),
      [['b', 2]],
    )
    t.equal(all[0]?.folded.name, 'é')
    await database.knex('rooms').where({ name: 'b' }).update({ hidden: true })
    t.same(await channels.still(all), [])
    const names = Array.from({ length: 501 }, (_, i) => `many-${i}`)
    for (let at = 0; at < names.length; at += 100)
      await database
        .knex('rooms')
        .insert(names.slice(at, at + 100).map((name) => ({ ...row, name, created: 1 })))
    t.equal((await new Channels(venue).all()).length, 501, 'however many are read at a time')
  })

  test(`${name}: in which rooms somebody has a standing, and when he left them`, async (t) => {
    const { database, write } = await opened(t)
    const store = new VisitStore(database.knex, 'x')
    const row = { settings: '{}', subject: '', hidden: false, created: 1 }
    const numbers: number[] = []
    for (const [name, host, locked] of [
      ['a', 'x', false],
      ['b', 'x', false],
      ['c', 'x', true],
      ['d', 'y', false],
      ['e', 'x', false],
    ] as const) {
      await database.knex('rooms').insert({ ...row, name, host, locked })
      const { number } = await database.knex('rooms').where({ name }).first('number')
      numbers.push(Number(number))
      const affiliation = name === 'e' ? 'outcast' : 'member'
      await database.knex('room_affiliations').insert({
        ...{ room: number, jid: 'j@x', affiliation, nick: '', reason: '' },
      })
    }
    const [a = 0, b = 0] = numbers
    await write((entry) => store.left(entry, { room: b, account: 'j@x', at: 2 ** 41 }))
    await write((entry) => store.left(entry, { room: b, account: 'j@x', at: 5 }))
    t.same(await store.rooms('j@x', 10), [
      { number: a, name: 'a', left: 0 },
      { number: b, name: 'b', left: 2 ** 41 },
    ])
    t.equal((await store.rooms('j@x', 1)).length, 1)
    t.same(await store.rooms('other@x', 10), [])
    t.same([...(await store.affiliated(a, ['j@x', 'other@x']))], ['j@x'])
    const occupant = { at: 1, room: a, role: 'none', node: '', presence: '' }
    await database.knex('room_occupants').insert({ ...occupant, visitor: `${a} j@x/1`, nick: 'J' })
    await database.knex('room_occupants').insert({ ...occupant, visitor: `${a} j@x/2`, nick: '' })
    t.same([...(await store.inside([a, b], ['j@x/1', 'j@x/2']))], [`${a} j@x/1`])
    await write((entry) => store.remove(entry, b))
    t.same(
      (await store.rooms('j@x', 10)).map(({ left }) => left),
      [0, 0],
    )
  })
}
