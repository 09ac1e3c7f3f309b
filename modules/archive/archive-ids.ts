// What archives call their messages: the log's number, sealed with a key that all nodes share and that
// never changes, because clients keep these ids (XEP-0359 §3, XEP-0313 §6.2).

import type { Database } from '../../lib/storage/database.js'
import type { Random } from '../../lib/ops/random.js'
import { type Permutation, permutation } from '../../lib/xmpp/permutation.js'

const KEY_BYTES = 16
const PLACE = 1

/** Made by whoever asks first; the same for every node from then on. */
export async function openIds({ knex }: Database, random: Random): Promise<Permutation> {
  const made = { place: PLACE, key: random.bytes(KEY_BYTES) }
  await knex('archive_key').insert(made).onConflict('place').ignore()
  const kept: { key: Buffer } = await knex('archive_key').where({ place: PLACE }).first('key')
  return permutation(kept.key)
}
