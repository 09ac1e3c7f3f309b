// Randomness, passed in. Whatever must not be guessed has at least 128 bits (SEC-26).

import { randomBytes } from 'node:crypto'

export interface Random {
  bytes(count: number): Buffer
  /** An id of 144 bits that may stand anywhere in XML, a URL or a file name. */
  id(): string
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  id: () => randomBytes(18).toString('base64url'),
}
