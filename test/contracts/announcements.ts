// The contract of the store of announcements: each account is shown one once.

import { test, type Test } from 'tap'
import { migrate } from '../../lib/storage/migrations.js'
import { AnnouncementStore } from '../../modules/announcements/announcement-store.js'
import { migrations } from '../../modules/announcements/tables.js'
import type { StoreKind } from './stores.js'

export function announcementsContract({ name, fresh }: StoreKind): void {
  async function opened(t: Test) {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'announcements', migrations }])
    return { database, store: new AnnouncementStore(database, 'capulet.example') }
  }

  test(`${name}: each kind stands alone, for its host`, async (t) => {
    const { store, database } = await opened(t)
    t.same(await store.standing(), {})
    await store.set('motd', 'Réjouis-toi 💌\nzweite Zeile')
    await store.set('welcome', 'Welcome')
    const standing = await store.standing()
    t.equal(standing.motd?.text, 'Réjouis-toi 💌\nzweite Zeile')
    t.equal(standing.welcome?.text, 'Welcome')
    t.same(await new AnnouncementStore(database, 'montague.example').standing(), {})
  })

  test(`${name}: set anew it has not been seen; edited it has`, async (t) => {
    const { store } = await opened(t)
    await store.set('motd', 'one')
    const first = (await store.standing()).motd!
    t.ok(await store.see(first.id, 7))
    t.ok(await store.edit('motd', 'one!'))
    t.same((await store.standing()).motd, { id: first.id, text: 'one!' })
    t.notOk(await store.see(first.id, 7))
    await store.set('motd', 'two')
    t.ok(await store.see((await store.standing()).motd!.id, 7))
  })

  test(`${name}: of many who look at once one sees it first`, async (t) => {
    const { store } = await opened(t)
    await store.set('motd', 'one')
    const { id } = (await store.standing()).motd!
    const seen = await Promise.all([1, 2, 3, 4].map(() => store.see(id, 7)))
    t.equal(seen.filter(Boolean).length, 1)
  })

  test(`${name}: what is not there is neither edited nor removed`, async (t) => {
    const { store } = await opened(t)
    t.notOk(await store.edit('motd', 'one'))
    t.notOk(await store.remove('motd'))
    await store.set('motd', 'one')
    t.ok(await store.remove('motd'))
    t.same(await store.standing(), {})
  })

  test(`${name}: who is new is welcomed once`, async (t) => {
    const { store } = await opened(t)
    await store.welcomeLater(7)
    await store.welcomeLater(7)
    const welcomed = await Promise.all([1, 2, 3].map(() => store.welcome(7)))
    t.equal(welcomed.filter(Boolean).length, 1)
    t.notOk(await store.welcome(8))
  })

  test(`${name}: nothing is kept of who is gone`, async (t) => {
    const { store, database } = await opened(t)
    await store.set('motd', 'one')
    const { id } = (await store.standing()).motd!
    await store.see(id, 7)
    await store.see(id, 8)
    await store.welcomeLater(7)
    await database.transaction((trx) => store.forget(trx, 7))
    t.same(await database.knex('announcements_seen').pluck('account'), [8])
    t.same(await database.knex('welcomes_due').pluck('account'), [])
  })
}
