// Whichever life changes the row of a session first makes it again (XEP-0198 §5), on either store.

import { test } from 'tap'
import { Database } from '../../../lib/storage/database.js'
import { migrate } from '../../../lib/storage/migrations.js'
import { Claims } from '../../../modules/stream-management/claims.js'
import {
  countsRow,
  COUNTS,
  SESSIONS,
  type SessionRow,
  SessionStore,
} from '../../../modules/stream-management/store.js'
import { migrations } from '../../../modules/stream-management/tables.js'
import { freshPostgres } from '../../world/postgres.js'

const row = (number: number): SessionRow => ({
  ...{ number, version: 7, id: `${number}-id`, account: 1, life: 'a@one', resource: 'phone' },
  ...{ created: 1, timeout: 60_000, detached: 0, ended: 0, state: '{}', owed: `owed ${number}` },
})
const by = (life: string) => ({ life, detached: 1000 })

const stores = { sqlite: async () => 'sqlite:memory', postgres: freshPostgres }

for (const [kind, address] of Object.entries(stores))
  test(`a session is claimed by one life, as it was found, on ${kind}`, async (t) => {
    const url = await address()
    const database = await Database.open({ url, folder: t.testdir(), durability: 'crash' })
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'stream-management', migrations }])
    const rows = Array.from({ length: 300 }, (_, at) => row(at + 1))
    await database.write([
      { insert: SESSIONS, rows: rows.map((one) => ({ ...one })) },
      { insert: COUNTS, rows: [countsRow(5, { handled: 3, position: 4, requests: 'r' })] },
    ])
    const claims = new Claims(database)
    const store = new SessionStore(database)
    const claimed = await Promise.all([
      ...rows.slice(0, 250).map((one, at) => claims.claim(one, by(`b${at}@two`))),
      claims.claim(row(1), by('c@three')),
      claims.claim({ ...row(260), version: 6 }, by('c@three')),
      claims.claim({ ...row(261), life: 'z@one' }, by('c@three')),
    ])
    t.equal(claimed.filter(Boolean).length, 250)
    t.same(claimed.slice(-3), [false, false, false])
    const found = await Promise.all([1, 5, 260, 300, 999].map((number) => store.find(number)))
    const counted = { handled: 3, position: 4, requests: 'r', seen: 0 }
    const none = { handled: 0, position: 0, requests: '', seen: 0 }
    const made = { detached: 1000, version: 8 }
    t.strictSame(found, [
      { ...row(1), ...none, ...made, life: 'b0@two' },
      { ...row(5), ...counted, ...made, life: 'b4@two' },
      { ...row(260), ...none },
      { ...row(300), ...none },
      undefined,
    ])
  })
