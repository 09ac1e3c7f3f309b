// Stanzas that wait for a client: what they take of memory meanwhile, and what they say when they come
// late (XEP-0203). Why one waits, and how many may, is the affair of whoever holds it back.

import { delayed, NS_DELAY } from './delay.js'
import type { Envelope } from './envelope.js'
import type { Wire } from './element.js'

/** Of a stanza beside its text */
const OVERHEAD = 400

/** How much of memory it takes, roughly. Once it was written its text is there twice. */
export function sizeOf({ stanza, annotations }: Envelope, times: 1 | 2): number {
  const text = stanza.content.length + stanza.attributes.length + annotations.length
  return OVERHEAD + times * text
}

/**
 * With the moment at which it should have arrived, where we have not said so yet: what others say of
 * their own delays stands beside that. `by` is as it stands in an attribute. Of a presence only the
 * present counts.
 */
export function late(envelope: Envelope, by: Wire): Envelope {
  const { stanza, arrived, annotations } = envelope
  if (stanza.kind !== 'message' || annotations.includes(NS_DELAY)) return envelope
  return envelope.annotated(delayed(arrived, by))
}
