// PBKDF2 off the event loop, in one queue for the whole process (SEC-25): two at a time, so that
// the thread pool keeps threads for files and name look-ups, and a bounded number waiting. Whoever
// comes when it is full is refused at once.

import { pbkdf2 } from 'node:crypto'
import { StanzaError } from '../../lib/xmpp/errors.js'

export type HashName = 'SHA-1' | 'SHA-256' | 'SHA-512'

/** Strongest first. */
export const hashNames: readonly HashName[] = ['SHA-512', 'SHA-256', 'SHA-1']

/** What node calls it, and the length of its output. */
export const hashes: Record<HashName, { readonly digest: string; readonly bytes: number }> = {
  'SHA-1': { digest: 'sha1', bytes: 20 },
  'SHA-256': { digest: 'sha256', bytes: 32 },
  'SHA-512': { digest: 'sha512', bytes: 64 },
}

export interface Derivation {
  readonly hash: HashName
  readonly salt: Buffer
  readonly iterations: number
}

export class HashQueue {
  readonly #running: number
  readonly #most: number
  readonly #waiting: (() => void)[] = []
  #busy = 0

  constructor(running = 2, most = 64) {
    this.#running = running
    this.#most = most
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** RFC 5802 §3: SaltedPassword := Hi(password, salt, iterations) */
  async derive(password: string, { hash, salt, iterations }: Derivation): Promise<Buffer> {
    await this.#turn()
    try {
      return await new Promise((resolve, reject) => {
        const { bytes, digest } = hashes[hash]
        pbkdf2(password, salt, iterations, bytes, digest, (error, key) =>
          error ? reject(error) : resolve(key),
        )
      })
    } finally {
      this.#next()
    }
  }

  #turn(): Promise<void> | undefined {
    if (this.#busy < this.#running) {
      this.#busy++
      return undefined
    }
    if (this.#waiting.length >= this.#most) {
      throw new StanzaError('resource-constraint', 'too many passwords are being checked')
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  // The turn is handed over, so that nobody slips in between.
  #next(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#busy--
  }
}

export const hashing = new HashQueue()
