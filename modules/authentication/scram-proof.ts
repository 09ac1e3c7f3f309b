// The arithmetic of SCRAM on the server's side (RFC 5802 §3).

import { createHash, createHmac } from 'node:crypto'
import { hashes } from '../accounts/hashing.js'
import type { ScramKeys } from '../accounts/scram-keys.js'
import { secretsEqual } from '../accounts/secrets-equal.js'

/** ClientProof hides ClientKey, whose hash is StoredKey. */
export function proves(proof: Buffer, { hash, storedKey }: ScramKeys, message: string): boolean {
  const { digest } = hashes[hash]
  const clientKey = createHmac(digest, storedKey).update(message).digest()
  if (proof.length !== clientKey.length) return false
  for (let i = 0; i < clientKey.length; i++) clientKey[i]! ^= proof[i]!
  return secretsEqual(createHash(digest).update(clientKey).digest(), storedKey)
}

export function serverSignature({ hash, serverKey }: ScramKeys, message: string): Buffer {
  return createHmac(hashes[hash].digest, serverKey).update(message).digest()
}
