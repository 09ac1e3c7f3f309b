// What is kept of a password: for each hash a salt, the rounds, StoredKey and ServerKey (RFC 5802
// §3). Neither the password nor anything that logs in as somebody can be made from them, but by
// guessing. Also the keys of accounts that do not exist, which look the same (SEC-22).

import { createHash, createHmac } from 'node:crypto'
import { type Derivation, type HashName, hashes, hashNames } from './hashing.js'

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

/**
 * Keys of names that nobody has. A salt is the same for the same name on every node and after every
 * restart; what it belongs to is one secret for all, which no password fits.
 */
export class Decoys {
  readonly #secret: Buffer
  readonly #nobody: Buffer

  constructor(secret: Buffer) {
    this.#secret = secret
    this.#nobody = createHmac('sha512', secret).update('nobody').digest()
  }

  for(local: string, iterations: number): Map<HashName, ScramKeys> {
    const salts = createHmac('sha512', this.#secret).update(`salt ${local}`).digest()
    return new Map(
      hashNames.map((hash, at) => {
        const salt = salts.subarray(at * SALT_BYTES, (at + 1) * SALT_BYTES)
        const key = this.#nobody.subarray(0, hashes[hash].bytes)
        return [hash, { hash, iterations, salt, storedKey: key, serverKey: key }]
      }),
    )
  }
}
