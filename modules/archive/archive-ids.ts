// What archives call their messages: the log's number, sealed with a key that all nodes share and that
// never changes, because clients keep these ids (XEP-0359 §3, XEP-0313 §6.2).

import type { Database } from '../../lib/storage/database.js'
import { sharedSecret } from '../../lib/storage/shared-secrets.js'
import type { Random } from '../../lib/ops/random.js'
import { type Permutation, permutation } from '../../lib/xmpp/permutation.js'

/** Of the key among the shared secrets */
export const IDS = 'archive ids'
const KEY_BYTES = 16

export async function openIds(database: Database, random: Random): Promise<Permutation> {
  return permutation(await sharedSecret(database, IDS, () => random.bytes(KEY_BYTES)))
}
