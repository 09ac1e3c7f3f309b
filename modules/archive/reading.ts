// Finds the page that a query asks for. Ids by which it was bounded must be in this archive (XEP-0313
// §4.3.2); the usual one, the last of the page before, is read along with the page and costs nothing.

import { KEPT } from '../../lib/storage/logged-message.js'
import {
  type Logged,
  type MessageLog,
  otherSide,
  type PageQuery,
} from '../../lib/storage/message-log.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { type ArchiveQuery, notThere } from './query.js'

export interface FoundPage {
  /** Oldest first */
  readonly messages: readonly Logged[]
  readonly complete: boolean
}

export async function findPage(
  log: MessageLog,
  owner: number,
  query: ArchiveQuery,
): Promise<FoundPage> {
  const range = rangeOf(owner, query)
  const anchor = anchorOf(query)
  if (anchor !== undefined) return beyondAnchor(log, range, { anchor, query })
  await mustBeThere(log, owner, [...query.after, ...query.before, ...(query.ids ?? [])])
  return read(log, await narrowed(range, query), query.peer)
}

function rangeOf(owner: number, query: ArchiveQuery): PageQuery {
  return {
    owner,
    after: Math.max(query.since, ...query.after),
    before: Math.min(query.until, ...query.before),
    limit: query.limit,
    backwards: query.backwards,
    ...(query.peer ? { peer: query.peer.bare } : undefined),
    ...(query.ids ? { ids: query.ids } : undefined),
  }
}

/** The one id at which reading begins, where nothing but the page itself depends on it. */
function anchorOf({ after, before, since, until, ids, extra, backwards, peer }: ArchiveQuery) {
  const [mine, others] = backwards ? [before, after] : [after, before]
  const [anchor] = mine
  if (anchor === undefined || mine.length > 1 || others.length > 0) return undefined
  if (ids || extra.length > 0 || anchor <= since || anchor >= until) return undefined
  return peer && !peer.isBare ? undefined : anchor
}

async function beyondAnchor(
  log: MessageLog,
  range: PageQuery,
  { anchor, query }: { anchor: number; query: ArchiveQuery },
): Promise<FoundPage> {
  const including = query.backwards ? { before: anchor + 1 } : { after: anchor - 1 }
  const page = await log.page({ ...range, ...including, limit: range.limit + 1 })
  const found = query.backwards ? page.messages.at(-1) : page.messages[0]
  if (found?.id === anchor) {
    const messages = query.backwards ? page.messages.slice(0, -1) : page.messages.slice(1)
    return { messages, complete: page.complete }
  }
  // It may be in the archive all the same, of another conversation.
  await mustBeThere(log, range.owner, [anchor])
  return log.page(range)
}

async function mustBeThere(
  log: MessageLog,
  owner: number,
  numbers: readonly number[],
): Promise<void> {
  if (numbers.length === 0) return
  const ids = [...new Set(numbers)]
  const { messages } = await log.page({ owner, ids, limit: ids.length })
  if (messages.length < ids.length) throw notThere()
}

async function narrowed(range: PageQuery, { extra, peer }: ArchiveQuery): Promise<PageQuery> {
  let query =
    peer && !peer.isBare ? { ...range, limit: SPAN } : { ...range, limit: range.limit + 1 }
  for (const { field, values } of extra) {
    const next = await field.narrow(query, values)
    query = intersected(query, next)
  }
  return { ...query, limit: range.limit }
}

function intersected(query: PageQuery, next: PageQuery): PageQuery {
  const { ids } = query
  if (!ids || !next.ids) return next
  return { ...next, ids: next.ids.filter((id) => ids.includes(id)) }
}

function read(log: MessageLog, range: PageQuery, peer: Jid | undefined): Promise<FoundPage> {
  return peer && !peer.isBare ? ofResource(log, range, peer) : log.page(range)
}

/** How much of a conversation is looked through at a time for one resource, and how often. */
const SPAN = 500
const MOST_SPANS = 40

/** XEP-0313 §4.1.1: a full address means that resource alone, of which there is no index. */
async function ofResource(log: MessageLog, range: PageQuery, peer: Jid): Promise<FoundPage> {
  const found: Logged[] = []
  let rest: PageQuery = { ...range, limit: SPAN }
  for (let span = 0; span < MOST_SPANS; span++) {
    const page = await log.page(rest)
    const mine = page.messages.filter((message) => otherSide(message).equals(peer))
    found.push(...(range.backwards ? mine.reverse() : mine))
    if (page.complete || found.length > range.limit)
      return cut(found, range, page.complete && found.length <= range.limit)
    const last = range.backwards ? page.messages[0] : page.messages.at(-1)
    if (!last) break
    rest = range.backwards ? { ...rest, before: last.id } : { ...rest, after: last.id }
  }
  if (found.length > 0) return cut(found, range, false)
  throw new StanzaError('resource-constraint', 'too much was looked through; ask for less')
}

function cut(found: Logged[], { limit, backwards }: PageQuery, complete: boolean): FoundPage {
  const messages = found.slice(0, limit)
  return { messages: backwards ? messages.reverse() : messages, complete }
}

/** The first and the last message of an archive; none where it is empty. */
export async function endsOf(log: MessageLog, owner: number): Promise<readonly Logged[]> {
  const pages = await Promise.all(
    [false, true].map((backwards) => log.page({ owner, flags: KEPT, limit: 1, backwards })),
  )
  return pages.flatMap(({ messages }) => messages)
}
