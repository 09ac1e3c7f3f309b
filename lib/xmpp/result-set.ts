// Pages of a long result (XEP-0059): what a stranger asks for, and what a page says of itself. The
// ids in it are opaque here: whoever gives them out looks them up, and answers item-not-found for
// those that it never gave.

import { type Element, xml } from './element.js'
import { StanzaError } from './errors.js'

export const NS_RSM = 'http://jabber.org/protocol/rsm'

export interface PageRequest {
  /** How many at most, the cap included; 0 asks for the count alone (XEP-0059 §2.7). */
  readonly max: number
  /** What follows this one */
  readonly after?: string
  /** What is before this one; '' is the last page (XEP-0059 §2.5). Both may be set. */
  readonly before?: string
}

/** The largest `xs:int`, which `max` is by the schema (XEP-0059 §8) */
const LARGEST = 2 ** 31 - 1
/** LIM-result-set-id */
const LONGEST_ID = 1023

/** What the `<set/>` in an element asks for, no more than `cap`; without one the first page. */
export function readPage(query: Element, cap: number): PageRequest {
  const set = query.getChild('set', NS_RSM)
  if (!set) return { max: cap }
  // XEP-0059 §2.6: not where it would be costly.
  if (set.getChild('index', NS_RSM))
    throw new StanzaError('feature-not-implemented', 'pages are not found by an index')
  const [max, after, before] = [only(set, 'max'), only(set, 'after'), only(set, 'before')]
  return {
    max: max === undefined ? cap : Math.min(cap, count(max)),
    ...(after ? { after: id(after) } : undefined),
    ...(before === undefined ? undefined : { before: id(before) }),
  }
}

function only(set: Element, name: string): string | undefined {
  const found = set.getChildren(name, NS_RSM)
  if (found.length > 1) throw new StanzaError('bad-request', `more than one <${name}/>`)
  return found[0]?.getText()
}

function count(text: string): number {
  const digits = /^[\t\n\r ]*([0-9]{1,10})[\t\n\r ]*$/.exec(text)?.[1]
  const number = Number(digits ?? Number.NaN)
  if (number <= LARGEST) return number
  throw new StanzaError('bad-request', '<max/> is a number')
}

function id(text: string): string {
  if (text.length > LONGEST_ID || /[\x00-\x1f\x7f\ud800-\udfff]/u.test(text))
    throw new StanzaError('bad-request', 'this id was never given')
  return text
}

export interface Page {
  /** The ids of the first and last item; none where the page is empty (XEP-0059 §2.2) */
  readonly first?: string | undefined
  readonly last?: string | undefined
  /** The place of the first in the whole, where that is known */
  readonly index?: number | undefined
  /** Of the whole, where that is known */
  readonly count?: number | undefined
}

export function resultSet({ first, last, index, count }: Page): Element {
  return xml(
    'set',
    NS_RSM,
    first === undefined ? undefined : xml('first', { index: index?.toString() }, first),
    last === undefined ? undefined : xml('last', {}, last),
    count === undefined ? undefined : xml('count', {}, String(count)),
  )
}
