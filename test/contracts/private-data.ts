// The contract of the store of private data, and of the last logins: the latest counts.

import { test, type Test } from 'tap'
import { Journal } from '../../lib/storage/journal.js'
import { migrate } from '../../lib/storage/migrations.js'
import { migrations, PrivateDataStore } from '../../modules/private-data.js'
import {
  LastLogins,
  migrations as loginMigrations,
} from '../../modules/service-administration/last-logins.js'
import type { StoreKind } from './stores.js'

export function privateDataContract({ name, fresh }: StoreKind): void {
  async function opened(t: Test) {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'private-data', migrations }])
    const store = new PrivateDataStore(database.knex)
    const journal = new Journal(database)
    const put = async (...rows: Parameters<PrivateDataStore['put']>[1]) => {
      const entry = journal.entry()
      store.put(entry, rows)
      await journal.commit(entry)
    }
    return { store, put }
  }

  test(`${name}: pieces are kept by account, name and namespace; the latest counts`, async (t) => {
    const { store, put } = await opened(t)
    const piece = { account: 7, name: 'a', xmlns: 'urn:1', content: "<a xmlns='urn:1'>é💌</a>" }
    await put(piece, { ...piece, xmlns: 'urn:2', content: '2' })
    await put({ ...piece, account: 8, content: '3' })
    t.equal(await store.get(7, 'a', 'urn:1'), piece.content)
    t.equal(await store.get(7, 'a', 'urn:2'), '2')
    t.equal(await store.get(8, 'a', 'urn:1'), '3')
    t.equal(await store.get(7, 'A', 'urn:1'), undefined, 'names differ by case')
    await put({ ...piece, content: '4' }, { ...piece, name: 'b', content: '5' })
    t.equal(await store.get(7, 'a', 'urn:1'), '4')
    t.equal((await store.names(7)).length, 3)
  })

  test(`${name}: the same piece twice in one request is the later one`, async (t) => {
    const { store, put } = await opened(t)
    const piece = { account: 7, name: 'a', xmlns: 'urn:1', content: '1' }
    await put(piece, { ...piece, content: '2' })
    t.equal(await store.get(7, 'a', 'urn:1'), '2')
  })

  test(`${name}: logins are held, written together, and then read`, async (t) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'service-administration', migrations: loginMigrations }])
    const logins = new LastLogins(database)
    logins.note(7, 1000)
    t.equal(logins.heldOf(7), 1000)
    t.equal(await logins.read(7), undefined)
    await logins.flush()
    t.equal(logins.held, 0)
    t.equal(logins.heldOf(7), undefined)
    t.equal(await logins.read(7), 1000)
    t.equal(await logins.read(8), undefined)
    logins.note(7, 2_000_000_000_000)
    await logins.flush()
    t.equal(await logins.read(7), 2_000_000_000_000)
    await database.transaction((trx) => logins.forget(trx, 7))
    t.equal(await logins.read(7), undefined)
  })

  test(`${name}: a flood of logins does not fill the memory (LIM-last-logins)`, async (t) => {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'service-administration', migrations: loginMigrations }])
    const logins = new LastLogins(database)
    for (let account = 1; account <= 2500; account++) {
      await logins.note(account, account)
      t.ok(logins.held <= 1000)
    }
    await logins.flush()
    t.equal(await logins.read(2500), 2500)
    t.equal((await database.knex('last_logins').pluck('account')).length, 2500)
  })
}
