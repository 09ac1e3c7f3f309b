// The keys of one account in one short text. Kept for every account that logged in lately, nine
// Buffers each would cost several kilobytes; a text costs what it says.

import { type HashName, hashes, hashNames } from './hashing.js'
import type { ScramKeys } from './scram-keys.js'

/** A character a byte: for each hash the iterations, the salt's length, the salt and both keys. */
export function packKeys(keys: ReadonlyMap<HashName, ScramKeys>): string {
  return Buffer.concat(hashNames.flatMap((name) => parts(keys.get(name)!))).toString('latin1')
}

function parts({ iterations, salt, storedKey, serverKey }: ScramKeys): Buffer[] {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(iterations)
  head[4] = salt.length
  return [head, salt, storedKey, serverKey]
}

export function unpackKeys(packed: string, wanted: HashName): ScramKeys {
  let at = 0
  for (const hash of hashNames) {
    const size = hashes[hash].bytes
    const salted = at + 5 + packed.charCodeAt(at + 4)
    if (hash === wanted)
      return unpackOne(Buffer.from(packed.slice(at, salted + 2 * size), 'latin1'), hash)
    at = salted + 2 * size
  }
  throw new Error(`no keys for ${wanted}`)
}

function unpackOne(bytes: Buffer, hash: HashName): ScramKeys {
  const salted = 5 + bytes[4]!
  const middle = salted + hashes[hash].bytes
  return {
    hash,
    iterations: bytes.readUInt32BE(0),
    salt: bytes.subarray(5, salted),
    storedKey: bytes.subarray(salted, middle),
    serverKey: bytes.subarray(middle),
  }
}
