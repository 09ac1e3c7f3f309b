// The tables of accounts on PostgreSQL.

import { Database } from '../../../lib/storage/database.js'
import { accountsContract } from '../../contracts/accounts.js'
import { freshPostgres } from '../../world/postgres.js'

accountsContract({
  name: 'PostgreSQL',
  async fresh() {
    const url = await freshPostgres()
    return { open: () => Database.open({ url, folder: '', durability: 'power' }) }
  },
})
