// Asks an archive (XEP-0313) in one session, several queries at a time: each one is a form and a
// page (XEP-0059), its answer the number of results, the ids at both ends and whether that was all.
// The server may answer in any order; results are told apart by the query's id.
import type { Connection, Receiver } from './connection.js'

const MAM = 'urn:xmpp:mam:2'
const ANSWER_LIMIT_MS = 120_000

export type Query = {
  fields?: Record<string, string>
  /** Children of the set besides max. */
  page?: string
  max?: number
}

export type Page = {
  results: number
  first: string
  last: string
  complete: boolean
  /** The stanzas as they came, where they were wanted. */
  texts: string[]
}

type Waiting = {
  page: Page
  done(page: Page): void
  failed(error: Error): void
  timer: NodeJS.Timeout
}

const field = ([name, value]: [string, string]) =>
  `<field var='${name}'><value>${value}</value></field>`

function form(fields: Record<string, string>): string {
  const list = Object.entries(fields)
  if (list.length === 0) return ''
  const kind = `<field var='FORM_TYPE' type='hidden'><value>${MAM}</value></field>`
  return `<x xmlns='jabber:x:data' type='submit'>${kind}${list.map(field).join('')}</x>`
}

function render(id: string, { fields = {}, page = '', max = 50 }: Query): string {
  const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>${max}</max>${page}</set>`
  return `<iq type='set' id='${id}'><query xmlns='${MAM}' queryid='${id}'>${form(fields)}${set}</query></iq>`
}

const QUERY_ID = /queryid=['"](q\d+)['"]/

export class ArchiveQueries implements Receiver {
  private readonly connection: Connection
  private readonly wantsTexts: boolean
  private readonly waiting = new Map<string, Waiting>()
  private asked = 0
  received = 0
  /** Stanzas that answer no query. */
  readonly others: (text: string) => void

  constructor(
    connection: Connection,
    more: { texts?: boolean; others?: (text: string) => void } = {},
  ) {
    this.connection = connection
    this.wantsTexts = more.texts ?? false
    this.others = more.others ?? (() => {})
    connection.receiver = this
  }

  ask(query: Query): Promise<Page> {
    const id = `q${++this.asked}`
    return new Promise((done, failed) => {
      const late = () => failed(new Error('the archive did not answer in time'))
      const timer = setTimeout(late, ANSWER_LIMIT_MS)
      const page = { results: 0, first: '', last: '', complete: false, texts: [] }
      this.waiting.set(id, { page, done, failed, timer })
      this.connection.write(render(id, query))
    })
  }

  stanza(_: Connection, bytes: Buffer, start: number, end: number): void {
    // The ids stand at the beginning of a result.
    const head = bytes.toString('latin1', start, Math.min(end, start + 400))
    if (head.startsWith('<message')) this.result(head, () => bytes.toString('latin1', start, end))
    else if (head.startsWith('<iq')) this.end(bytes.toString('latin1', start, end))
  }

  private result(head: string, whole: () => string): void {
    const waiting = this.waiting.get(QUERY_ID.exec(head)?.[1] ?? '')
    if (waiting === undefined || !head.includes(MAM)) {
      this.others(whole())
      return
    }
    waiting.page.results++
    this.received++
    if (this.wantsTexts) waiting.page.texts.push(whole())
  }

  private end(text: string): void {
    const id = /^<iq[^>]* id=['"](q\d+)['"]/.exec(text)?.[1] ?? ''
    const waiting = this.waiting.get(id)
    if (waiting === undefined) return
    this.waiting.delete(id)
    clearTimeout(waiting.timer)
    if (/^<iq[^>]* type=['"]error/.test(text)) waiting.failed(new Error(reasonIn(text)))
    else waiting.done({ ...waiting.page, ...edges(text) })
  }

  lost(_: Connection, why: string): void {
    for (const { failed, timer } of this.waiting.values()) {
      clearTimeout(timer)
      failed(new Error(why))
    }
    this.waiting.clear()
  }
}

/** The condition, and what the server says about it. */
function reasonIn(text: string): string {
  const condition = /<error[^>]*>\s*<([\w-]+)/.exec(text)?.[1] ?? text
  return [condition, /<text[^>]*>([^<]*)/.exec(text)?.[1]].filter(Boolean).join(': ')
}

function edges(text: string): Pick<Page, 'first' | 'last' | 'complete'> {
  return {
    first: /<first[^>]*>([^<]*)</.exec(text)?.[1] ?? '',
    last: /<last>([^<]*)</.exec(text)?.[1] ?? '',
    complete: /<fin[^>]* complete=['"]true/.test(text),
  }
}
