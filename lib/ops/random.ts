// Randomness, passed in. Whatever must not be guessed has at least 128 bits (SEC-26).

import { randomBytes, randomFillSync } from 'node:crypto'

export interface Random {
  bytes(count: number): Buffer
  /** An id of 144 bits that may stand anywhere in XML, a URL or a file name. */
  id(): string
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  id: () => nextId(),
}

/** Ids are made of bytes that are asked for together: a call costs as much as hundreds of them. */
const ID_BYTES = 18
const pool = Buffer.alloc(ID_BYTES * 128)
let at = pool.length

function nextId(): string {
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  const bytes = pool.subarray(at, (at += ID_BYTES))
  const id = bytes.toString('base64url')
  // Given out once, and nowhere to be read afterwards.
  bytes.fill(0)
  return id
}
