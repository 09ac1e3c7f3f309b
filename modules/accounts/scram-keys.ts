// What is kept of a password: for each hash a salt, the rounds, StoredKey and ServerKey (RFC 5802
// §3). Neither the password nor anything that logs in as somebody can be made from them, but by
// guessing. Also the keys of accounts that do not exist, which look the same (SEC-22).

import { createHash, createHmac } from 'node:crypto'
import { type Derivation, type HashName, hashes } from './hashing.js'

export interface ScramKeys extends Derivation {
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

export const SALT_BYTES = 16

export function scramKeys(derivation: Derivation, salted: Buffer): ScramKeys {
  const { digest } = hashes[derivation.hash]
  const clientKey = createHmac(digest, salted).update('Client Key').digest()
  return {
    hash: derivation.hash,
    salt: derivation.salt,
    iterations: derivation.iterations,
    storedKey: createHash(digest).update(clientKey).digest(),
    serverKey: createHmac(digest, salted).update('Server Key').digest(),
  }
}

/** The same for the same name on every node and after every restart; nobody can log in with them. */
export function decoyKeys(
  secret: Buffer,
  local: string,
  { hash, iterations }: { hash: HashName; iterations: number },
): ScramKeys {
  const { bytes } = hashes[hash]
  const from = (use: string): Buffer =>
    createHmac('sha512', secret).update(`${use}\0${hash}\0${local}`).digest()
  return {
    hash,
    iterations,
    salt: from('salt').subarray(0, SALT_BYTES),
    storedKey: from('stored key').subarray(0, bytes),
    serverKey: from('server key').subarray(0, bytes),
  }
}
