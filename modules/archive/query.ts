// What a query asks for (XEP-0313 §4), read from what a stranger wrote and not yet looked up: ids are
// only known to be ours by their form.

import { numberAt } from '../../lib/storage/logged-message.js'
import { readStamp } from '../../lib/xmpp/delay.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { readForm } from '../../lib/xmpp/forms.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_RSM, type PageRequest, readPage } from '../../lib/xmpp/result-set.js'
import type { ExtraField, Fields } from './fields.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'

export interface ArchiveQuery {
  readonly peer: Jid | undefined
  /** Numbers of messages that must be in the archive; the range is between them. */
  readonly after: readonly number[]
  readonly before: readonly number[]
  /** Numbers that stand for moments, exclusive too */
  readonly since: number
  readonly until: number
  readonly ids: readonly number[] | undefined
  readonly extra: readonly { field: ExtraField; values: readonly string[] }[]
  readonly limit: number
  readonly backwards: boolean
  readonly flipped: boolean
  readonly queryId: string | undefined
}

export interface QueryTerms {
  readonly fields: Fields
  open(id: string): number | undefined
  /** Messages of a page, where the client does not say, and at most */
  readonly page: number
  readonly most: number
}

/** LIM-archive-query-id: it is repeated with every result. */
const LONGEST_QUERY_ID = 1023
/** LIM-archive-ids */
const MOST_IDS = 250

type Values = ReadonlyMap<string, readonly string[]>

export function readQuery(element: Element, terms: QueryTerms): ArchiveQuery {
  // XEP-0442: neither accounts nor rooms have archives of nodes.
  if (element.attrs.node !== undefined) throw new StanzaError('feature-not-implemented')
  const values = readValues(element, terms.fields)
  const page = readPage(element, terms.most)
  checkGroupchat(values)
  return {
    peer: readPeer(values),
    ...readTimes(values),
    after: opened(terms, [page.after, first(values, 'after-id')]),
    before: opened(terms, [page.before || undefined, first(values, 'before-id')]),
    ids: readIds(values, terms),
    extra: readExtra(values, terms.fields),
    limit: saysMax(element) ? page.max : Math.min(terms.page, terms.most),
    backwards: isBackwards(page),
    flipped: element.getChild('flip-page', NS_ARCHIVE) !== undefined,
    queryId: readQueryId(element),
  }
}

function readValues(element: Element, fields: Fields): Values {
  const submission = readForm(element, NS_ARCHIVE)
  if (!submission) return new Map()
  if (submission.type === 'cancel') throw new StanzaError('bad-request', 'a cancelled query')
  for (const name of submission.values.keys()) {
    // XEP-0313 §4.1.5
    if (name !== 'FORM_TYPE' && !fields.known(name))
      throw new StanzaError('feature-not-implemented', 'there is no such field')
  }
  return submission.values
}

/** A field that was left empty says nothing. */
function first(values: Values, name: string): string | undefined {
  return values.get(name)?.[0]?.trim() || undefined
}

function readPeer(values: Values): Jid | undefined {
  const text = first(values, 'with')
  if (text === undefined) return undefined
  const peer = Jid.tryParse(text)
  if (!peer) throw new StanzaError('jid-malformed', 'the field with is an address')
  return peer
}

/** XEP-0313 §4.1.2: both moments belong to the range; docs/protocol-notes.md on the end. */
function readTimes(values: Values): { since: number; until: number } {
  const start = moment(values, 'start')
  const end = moment(values, 'end')
  return {
    since: start === undefined ? 0 : Math.min(numberAt(start) - 1, Number.MAX_SAFE_INTEGER),
    until: Math.min(
      end === undefined ? Number.MAX_SAFE_INTEGER : numberAt(end + finestOf(first(values, 'end')!)),
      Number.MAX_SAFE_INTEGER,
    ),
  }
}

/**
 * How long the moment lasts that a DateTime names. XEP-0082 leaves the fraction out where nobody needs
 * it: clients keep the times of what they have in whole seconds, and mean all of the last one.
 */
function finestOf(stamp: string): number {
  return stamp.includes('.') ? 1 : 1000
}

function moment(values: Values, name: string): number | undefined {
  const text = first(values, name)
  if (text === undefined) return undefined
  const time = readStamp(text)
  if (time === undefined) throw new StanzaError('bad-request', `the field ${name} is a DateTime`)
  return time
}

/** XEP-0313 §4.1.4; XEP-0004 §3.3 on booleans */
function checkGroupchat(values: Values): void {
  const wanted = first(values, 'include-groupchat')
  if (wanted !== undefined && !['0', '1', 'true', 'false'].includes(wanted))
    throw new StanzaError('bad-request', 'include-groupchat is true or false')
}

function opened(terms: QueryTerms, ids: readonly (string | undefined)[]): number[] {
  return ids.flatMap((id) => (id === undefined ? [] : [open(terms, id)]))
}

/** XEP-0313 §4.1.3, §4.3.2: what we never gave is not there. */
function open(terms: QueryTerms, id: string): number {
  const number = terms.open(id)
  if (number === undefined) throw notThere()
  return number
}

export function notThere(): StanzaError {
  return new StanzaError('item-not-found', 'this archive has no such message')
}

function readIds(values: Values, terms: QueryTerms): readonly number[] | undefined {
  const ids = values.get('ids')
  if (!ids || ids.length === 0) return undefined
  if (ids.length > MOST_IDS)
    throw new StanzaError('resource-constraint', `at most ${MOST_IDS} ids`, { type: 'modify' })
  return [...new Set(opened(terms, ids))]
}

function readExtra(values: Values, fields: Fields): ArchiveQuery['extra'] {
  return [...values].flatMap(([name, given]) => {
    const field = fields.extra(name)
    return field && given.some((value) => value !== '') ? [{ field, values: given }] : []
  })
}

function saysMax(element: Element): boolean {
  return element.getChild('set', NS_RSM)?.getChild('max', NS_RSM) !== undefined
}

/** XEP-0313 §9: before pages backwards, before-id does not. */
function isBackwards({ before }: PageRequest): boolean {
  return before !== undefined
}

function readQueryId({ attrs }: Element): string | undefined {
  const id: string | undefined = attrs.queryid
  if (id !== undefined && id.length > LONGEST_QUERY_ID)
    throw new StanzaError('bad-request', 'the queryid is too long')
  return id
}
