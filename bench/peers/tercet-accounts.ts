// Many accounts for Tercet at once: each one by a command, its password hashed, would take minutes for
// twenty thousand. They are written into the database of the server that runs, all with one salt.
import { pbkdf2Sync } from 'node:crypto'
import { join } from 'node:path'
import { Database } from '../../lib/storage/database.js'
import { skeleton } from '../../lib/xmpp/confusables.js'
import { hashes, hashNames } from '../../modules/accounts/hashing.js'
import { type ScramKeys, scramKeys } from '../../modules/accounts/scram-keys.js'
import { DOMAIN, type Site } from './peer.js'

const ROUNDS = 4096
const SALT = Buffer.from('benchmark-salt--')
/** SQLite takes 500 rows of one statement. */
const CHUNK = 200

function keysOf(password: string): ScramKeys[] {
  return hashNames.map((hash) => {
    const { bytes, digest } = hashes[hash]
    const salted = pbkdf2Sync(password, SALT, ROUNDS, bytes, digest)
    return scramKeys({ hash, salt: SALT, iterations: ROUNDS }, salted)
  })
}

const accountRow = (local: string) => ({
  ...{ host: DOMAIN, local, skeleton: skeleton(local) },
  ...{ disabled: false, created: Date.now() },
})

const keyRow = (number: number, { hash, salt, iterations, storedKey, serverKey }: ScramKeys) => ({
  ...{ number, hash, salt, iterations },
  ...{ stored_key: storedKey, server_key: serverKey },
})

async function add(database: Database, names: readonly string[], keys: readonly ScramKeys[]) {
  await database.transaction(async (trx) => {
    const made: { number: number }[] = await trx('accounts')
      .insert(names.map(accountRow))
      .returning('number')
    const rows = made.flatMap(({ number }) => keys.map((key) => keyRow(number, key)))
    await trx.batchInsert('account_keys', rows, CHUNK)
  })
}

export async function addAccounts(
  { folder, setting }: Site,
  names: readonly string[],
  password: string,
): Promise<void> {
  const url = setting.database ?? 'sqlite'
  const place = { url, folder: join(folder, 'data'), durability: 'crash' } as const
  const database = await Database.open(place)
  const keys = keysOf(password)
  try {
    for (let first = 0; first < names.length; first += CHUNK) {
      await add(database, names.slice(first, first + CHUNK), keys)
    }
  } finally {
    await database.close()
  }
}
