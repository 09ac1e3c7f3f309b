// SQLite: the contracts, and what only SQLite can get wrong.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tap from 'tap'
import { Database } from '../../lib/storage/database.js'
import { databaseContract } from '../contracts/database.js'
import { journalContract } from '../contracts/journal.js'
import { migrationsContract } from '../contracts/migrations.js'
import type { StoreKind } from '../contracts/stores.js'

const folders: string[] = []
tap.teardown(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

const sqlite: StoreKind = {
  name: 'SQLite',
  async fresh() {
    const folder = await mkdtemp(join(tmpdir(), 'sqlite-'))
    folders.push(folder)
    return { open: () => Database.open({ url: 'sqlite', folder, durability: 'power' }) }
  },
}

databaseContract(sqlite)
migrationsContract(sqlite)
journalContract(sqlite)
