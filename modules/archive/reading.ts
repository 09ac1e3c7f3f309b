// Finds the page that a query asks for. Ids by which it was bounded must be in this archive (XEP-0313
// §4.3.2); the usual one, the last of the page before, is read along with the page and costs nothing.

import { fitting, MOST_TEXT } from '../../lib/core/long-answers.js'
import { KEPT } from '../../lib/storage/logged-message.js'
import type { Logged, MessageLog, PageQuery } from '../../lib/storage/message-log.js'
import type { NarrowedQuery } from './fields.js'
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
  const { unfinished, ...narrow } = await narrowed(range, query)
  const page = await log.page(narrow)
  return { ...page, complete: page.complete && !unfinished }
}

function rangeOf(owner: number, query: ArchiveQuery): PageQuery {
  return {
    owner,
    after: Math.max(query.since, ...query.after),
    before: Math.min(query.until, ...query.before),
    limit: query.limit,
    mostText: MOST_TEXT,
    backwards: query.backwards,
    ...(query.peer ? { peer: query.peer } : undefined),
    ...(query.ids ? { ids: query.ids } : undefined),
  }
}

/** The one id at which reading begins, where nothing but the page itself depends on it. */
function anchorOf({ after, before, since, until, ids, extra, backwards }: ArchiveQuery) {
  const [mine, others] = backwards ? [before, after] : [after, before]
  const [anchor] = mine
  if (anchor === undefined || mine.length > 1 || others.length > 0) return undefined
  return ids || extra.length > 0 || anchor <= since || anchor >= until ? undefined : anchor
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
    // XEP-0059 §2.2: from nothing one cannot go on; without the anchor reading ends at a message.
    if (messages.length === 0 && !page.complete && range.limit > 0) return log.page(range)
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

/** One more than the page has, so that it is known whether more follow. */
async function narrowed(range: PageQuery, { extra }: ArchiveQuery): Promise<NarrowedQuery> {
  let query: NarrowedQuery = { ...range, limit: range.limit + 1 }
  for (const { field, values } of extra)
    query = intersected(query, await field.narrow(query, values))
  return { ...query, limit: range.limit }
}

function intersected(query: NarrowedQuery, next: NarrowedQuery): NarrowedQuery {
  const { ids } = query
  const unfinished = query.unfinished || next.unfinished ? { unfinished: true } : undefined
  if (!ids || !next.ids) return { ...next, ...unfinished }
  return { ...next, ids: next.ids.filter((id) => ids.includes(id)), ...unfinished }
}

/** What was asked for first of a page that is too long: it is then not complete. */
export function shortened(page: FoundPage, backwards: boolean): FoundPage {
  const { messages } = page
  const lengths = messages.map(({ text }) => text.length)
  const count = fitting(backwards ? lengths.reverse() : lengths)
  if (count === messages.length) return page
  const kept = backwards ? messages.slice(-count) : messages.slice(0, count)
  return { messages: kept, complete: false }
}

/** The first and the last message of an archive; none where it is empty. */
export async function endsOf(log: MessageLog, owner: number): Promise<readonly Logged[]> {
  const pages = await Promise.all(
    [false, true].map((backwards) => log.page({ owner, flags: KEPT, limit: 1, backwards })),
  )
  return pages.flatMap(({ messages }) => messages)
}
