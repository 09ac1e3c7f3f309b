// The stores of small modules on PostgreSQL.

import { Database } from '../../../lib/storage/database.js'
import { announcementsContract } from '../../contracts/announcements.js'
import { invitationsContract } from '../../contracts/invitations.js'
import { privateDataContract } from '../../contracts/private-data.js'
import { roomExtensionsContract } from '../../contracts/room-extensions.js'
import type { StoreKind } from '../../contracts/stores.js'
import { freshPostgres } from '../../world/postgres.js'

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async fresh() {
    const url = await freshPostgres()
    return { open: () => Database.open({ url, folder: '', durability: 'power' }) }
  },
}

privateDataContract(postgres)
invitationsContract(postgres)
announcementsContract(postgres)
roomExtensionsContract(postgres)
