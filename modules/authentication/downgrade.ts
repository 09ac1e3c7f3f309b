// Downgrade protection (XEP-0474 §5.1): a hash over what was advertised, which SCRAM signs with the
// password. There are few different lists, so a few hashes are kept.

import { createHash } from 'node:crypto'
import { type HashName, hashes } from '../accounts/hashing.js'
import type { Offer } from './mechanism.js'

const known = new WeakMap<Offer, Map<HashName, string>>()

export function downgradeHash(offer: Offer, hash: HashName): string {
  const kept = known.get(offer) ?? new Map<HashName, string>()
  known.set(offer, kept)
  const found = kept.get(hash)
  if (found !== undefined) return found
  const made = createHash(hashes[hash].digest).update(shown(offer)).digest('base64')
  kept.set(hash, made)
  return made
}

// Names are ASCII, so the order of code units is that of i;octet.
function shown({ mechanisms, bindings }: Offer): string {
  const sorted = [...mechanisms].sort().join('\x1e')
  return bindings.length > 0 ? `${sorted}\x1f${[...bindings].sort().join('\x1e')}` : sorted
}
