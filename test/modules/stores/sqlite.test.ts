// The stores of small modules on SQLite.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tap from 'tap'
import { Database } from '../../../lib/storage/database.js'
import { announcementsContract } from '../../contracts/announcements.js'
import { invitationsContract } from '../../contracts/invitations.js'
import { privateDataContract } from '../../contracts/private-data.js'
import { roomExtensionsContract } from '../../contracts/room-extensions.js'
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

privateDataContract(sqlite)
invitationsContract(sqlite)
announcementsContract(sqlite)
roomExtensionsContract(sqlite)
