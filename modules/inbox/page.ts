// A page of the inbox (XEP-0059): conversations are called by the id of their newest message. One whose
// message was the end of a page and that has a newer one meanwhile has moved to the front; the page goes
// on where it was all the same.

import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Counted } from './conversations.js'
import type { Question } from './question.js'

type Open = (id: string) => number | undefined

/** Of conversations with the newest first. */
export function pageOf(
  conversations: readonly Counted[],
  { page: { max, after, before } }: Question,
  open: Open,
): readonly Counted[] {
  const [older, newer] = [numberOf(after, open), numberOf(before, open)]
  const range = conversations.filter(
    ({ id }) => (older === undefined || id < older) && (newer === undefined || id > newer),
  )
  // XEP-0059 §2.3, §2.5: going back, the page ends at what was named, or at the end.
  if (before !== undefined) return max === 0 ? [] : range.slice(-max)
  return range.slice(0, max)
}

function numberOf(id: string | undefined, open: Open): number | undefined {
  if (id === undefined || id === '') return undefined
  const number = open(id)
  if (number === undefined) throw new StanzaError('item-not-found')
  return number
}
