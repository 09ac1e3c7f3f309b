// Rosters for Tercet: the accounts stand in a ring, and each knows those next to it on both sides, with
// presence both ways. Written into the database of the server that runs and has read none of them yet.
import { join } from 'node:path'
import { Database } from '../../lib/storage/database.js'
import { DOMAIN, type Site } from './peer.js'

const CHUNK = 100

const item = (account: number, local: string) => ({
  ...{ account, contact: `${local}@${DOMAIN}`, name: local, groups: '', subscription: 'both' },
  ...{ pending_out: false, pending_in: false, approved: false },
  ...{ listed: true, removed: false, request: '', version: 1 },
})

function neighboursOf(place: number, names: readonly string[], contacts: number): string[] {
  const half = contacts >> 1
  const away = Array.from({ length: half }, (_, i) => i + 1)
  const both = [...away, ...away.map((step) => -step)]
  return both.map((step) => names[(place + step + names.length) % names.length]!)
}

export async function addContacts(
  { folder, setting }: Site,
  names: readonly string[],
  contacts: number,
): Promise<void> {
  const url = setting.database ?? 'sqlite'
  const database = await Database.open({ url, folder: join(folder, 'data'), durability: 'crash' })
  try {
    const rows: { number: number; local: string }[] = await database
      .knex('accounts')
      .select('number', 'local')
    const numbers = new Map(rows.map(({ number, local }) => [local, number]))
    for (let first = 0; first < names.length; first += CHUNK) {
      const places = Array.from(
        { length: Math.min(CHUNK, names.length - first) },
        (_, i) => first + i,
      )
      const items = places.flatMap((place) =>
        neighboursOf(place, names, contacts).map((local) =>
          item(numbers.get(names[place]!)!, local),
        ),
      )
      const versions = places.map((place) => ({
        ...{ account: numbers.get(names[place]!)!, version: 1, floor: 0 },
      }))
      await database.transaction(async (trx) => {
        await trx.batchInsert('roster_items', items, CHUNK)
        await trx.batchInsert('roster_versions', versions, CHUNK)
      })
    }
  } finally {
    await database.close()
  }
}
