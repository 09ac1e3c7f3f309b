// The contract of what leads somebody back: how far conversations were displayed, what came back about
// messages, and who reads the archive.

import { test, type Test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { Journal } from '../../lib/storage/journal.js'
import { migrate } from '../../lib/storage/migrations.js'
import { Jid } from '../../lib/xmpp/jid.js'
import * as signs from '../../modules/message-status/signs-store.js'
import * as readers from '../../modules/offline-messages/archive-readers.js'
import * as displayed from '../../modules/read-state/displayed-store.js'
import type { StoreKind } from './stores.js'

const ROMEO = Jid.parse('romeo@montague.example')
const NURSE = Jid.parse('nurse@capulet.example')
/** As large as numbers of the log are */
const ID = 3_600_000_000_000_000

export function comingBackContract({ name, fresh }: StoreKind): void {
  async function opened(t: Test): Promise<{ database: Database; journal: Journal }> {
    const database = await (await fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [
      { owner: 'read-state', migrations: displayed.migrations },
      { owner: 'message-status', migrations: signs.migrations },
      { owner: 'offline-messages', migrations: readers.migrations },
    ])
    return { database, journal: new Journal(database) }
  }

  test(`${name}: what was displayed only moves forward, within one transaction and between them`, async (t) => {
    const { database, journal } = await opened(t)
    const store = new displayed.DisplayedStore(database)
    const put = async (...ids: number[]): Promise<void> => {
      const commits = ids.map((id) => {
        const entry = journal.entry()
        store.put(entry, 7, { peer: ROMEO.withResource('orchard'), id })
        return journal.commit(entry)
      })
      await Promise.all(commits)
    }
    t.equal(await store.of(7, ROMEO), 0)
    await put(ID + 5, ID + 3)
    t.equal(await store.of(7, ROMEO), ID + 5)
    await put(ID + 4)
    t.equal(await store.of(7, ROMEO), ID + 5)
    await put(ID + 6)
    t.equal(await store.of(7, ROMEO.withResource('any')), ID + 6)
    t.equal(await store.of(7, NURSE), 0)
    t.equal(await store.of(8, ROMEO), 0)
    t.same([...(await store.all(7))], [[ROMEO.text, ID + 6]])
    await database.transaction((trx) => store.forget(7, trx))
    t.equal(await store.of(7, ROMEO), 0)
  })

  test(`${name}: the first receipt counts, markers move forward, old receipts go`, async (t) => {
    const { database, journal } = await opened(t)
    const store = new signs.SignsStore(database)
    const sign = { account: 7, peer: ROMEO, id: ID, at: 1000 }
    const commit = async (write: (entry: ReturnType<Journal['entry']>) => void): Promise<void> => {
      const entry = journal.entry()
      write(entry)
      await journal.commit(entry)
    }
    await commit((entry) => store.delivered(entry, sign))
    await commit((entry) => store.delivered(entry, { ...sign, at: 2000 }))
    t.equal(await store.receipt(ID), 1000)
    t.equal(await store.receipt(ID + 1), undefined)
    await commit((entry) => store.displayed(entry, { ...sign, id: ID + 2 }))
    await commit((entry) => store.displayed(entry, { ...sign, at: 3000 }))
    t.same({ ...(await store.shownTo(7, ROMEO)) }, { id: ID + 2, at: 1000 })
    t.equal(await store.shownTo(7, NURSE), undefined)
    t.notOk(await store.expire(ID + 1))
    t.equal(await store.receipt(ID), undefined)
    await database.transaction((trx) => store.forget(7, trx))
    t.equal(await store.shownTo(7, ROMEO), undefined)
  })

  test(`${name}: at most 20 readers of the archive of each account, the latest (LIM-archive-readers)`, async (t) => {
    const { database } = await opened(t)
    const store = new readers.ArchiveReaders(database)
    const resources = async (account: number): Promise<string[]> =>
      database.reader('archive_readers').where({ account }).orderBy('used').pluck('resource')
    for (let i = 0; i < 24; i++)
      await store.remember({ account: 7, resource: `r${i}`, used: 1_700_000_000_000 + i })
    await store.remember({ account: 8, resource: 'r', used: 1 })
    await store.remember({ account: 7, resource: 'r10', used: 1_800_000_000_000 })
    t.same(await resources(7), [
      ...Array.from({ length: 20 }, (_, i) => `r${i + 4}`).filter((r) => r !== 'r10'),
      'r10',
    ])
    await database.transaction((trx) => store.forget(7, trx))
    t.same(await resources(7), [])
    t.same(await resources(8), ['r'])
  })
}
