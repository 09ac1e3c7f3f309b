// PostgreSQL: the contracts, and what only PostgreSQL can get wrong.

import { Database } from '../../lib/storage/database.js'
import { databaseContract } from '../contracts/database.js'
import { journalContract } from '../contracts/journal.js'
import { migrationsContract } from '../contracts/migrations.js'
import type { StoreKind } from '../contracts/stores.js'
import { freshPostgres } from '../world/postgres.js'

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async fresh() {
    const url = await freshPostgres()
    return { open: () => Database.open({ url, folder: '', durability: 'power' }) }
  },
}

databaseContract(postgres)
migrationsContract(postgres)
journalContract(postgres)
