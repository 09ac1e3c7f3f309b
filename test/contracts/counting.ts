// The way from a journal to its database, with a count of how often it was taken.

import type { Database } from '../../lib/storage/database.js'

export type Through = Pick<Database, 'transaction' | 'write'>

export function counting(through: Through): { way: Through; asked(): number } {
  let asked = 0
  const way: Through = {
    transaction(run) {
      asked++
      return through.transaction(run)
    },
    write(writes) {
      asked++
      return through.write(writes)
    },
  }
  return { way, asked: () => asked }
}
