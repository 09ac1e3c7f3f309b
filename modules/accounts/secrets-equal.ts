// Comparing secrets (SEC-21): both sides are hashed first, so that neither their lengths nor where
// they begin to differ shows in the time it takes.

import { hash, timingSafeEqual } from 'node:crypto'

export function secretsEqual(one: Buffer, other: Buffer): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

function digest(value: Buffer): Buffer {
  return hash('sha256', value, 'buffer')
}
