// The tables of accounts on SQLite.

import { Database } from '../../../lib/storage/database.js'
import { accountsContract } from '../../contracts/accounts.js'

accountsContract({
  name: 'SQLite',
  fresh: async () => ({
    open: () => Database.open({ url: 'sqlite:memory', folder: '', durability: 'crash' }),
  }),
})
