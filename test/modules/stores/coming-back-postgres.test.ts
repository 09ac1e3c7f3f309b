// The stores of what leads somebody back on PostgreSQL.

import { Database } from '../../../lib/storage/database.js'
import { comingBackContract } from '../../contracts/coming-back.js'
import type { StoreKind } from '../../contracts/stores.js'
import { freshPostgres } from '../../world/postgres.js'

const postgres: StoreKind = {
  name: 'PostgreSQL',
  async fresh() {
    const url = await freshPostgres()
    return { open: () => Database.open({ url, folder: '', durability: 'power' }) }
  },
}

comingBackContract(postgres)
