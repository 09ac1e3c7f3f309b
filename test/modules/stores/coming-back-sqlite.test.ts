// The stores of what leads somebody back on SQLite.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tap from 'tap'
import { Database } from '../../../lib/storage/database.js'
import { comingBackContract } from '../../contracts/coming-back.js'
import type { StoreKind } from '../../contracts/stores.js'

const folders: string[] = []
tap.teardown(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const sqlite: StoreKind = {
  name: 'SQLite',
  async fresh() {
    const folder = mkdtempSync(join(tmpdir(), 'tercet-stores-'))
    folders.push(folder)
    return { open: () => Database.open({ url: 'sqlite', folder, durability: 'crash' }) }
  },
}

comingBackContract(sqlite)
