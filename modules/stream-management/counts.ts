// Counts of stanzas (XEP-0198 §4). Inside they only grow; on the wire they are reduced to 32 bits, and
// what a client says is read relative to what it said before.

import { StreamError } from '../../lib/xmpp/errors.js'

const WRAP = 2 ** 32

/** As it is written: 2^32 - 1 is followed by 0. */
export function onWire(count: number): number {
  return count % WRAP
}

/** Undefined for whatever is no xs:unsignedInt. */
export function readCount(text: unknown): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,10}$/.test(text)) return undefined
  const count = Number(text)
  return count < WRAP ? count : undefined
}

/**
 * How far a count on the wire is beyond an inner one; negative for one that was true earlier. What
 * could be either is taken for the nearer one, and nothing was true before the counting began.
 */
export function beyond(h: number, inner: number): number {
  const ahead = (h - onWire(inner) + WRAP) % WRAP
  const earlier = WRAP - ahead
  return ahead > 0 && earlier <= inner && earlier < ahead ? -earlier : ahead
}

/** What a client says that it has. */
export function countOf(text: unknown): number {
  const h = readCount(text)
  if (h === undefined) throw new StreamError('policy-violation', 'h is no count')
  return h
}
