// What the tests of the archive share: a query and its results, as one client sees them.

import type { Test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World, type WorldOptions } from '../../world/world.js'

export const NS_ARCHIVE = 'urn:xmpp:mam:2'
export const NS_SID = 'urn:xmpp:sid:0'
export const ROMEO = `romeo@${DOMAIN}`
export const JULIET = `juliet@${DOMAIN}`

export interface Store {
  readonly name: string
  /** A world with an archive in this store */
  world(t: Test, options?: WorldOptions): Promise<World>
}

export const stores: readonly Store[] = [
  { name: 'SQLite', world: (t, options) => world(t, { modules: ['archive'], ...options }) },
  {
    name: 'PostgreSQL',
    world: async (t, options) =>
      world(t, { modules: ['archive'], database: await freshPostgres(), ...options }),
  },
]

export interface QueryOptions {
  /** Whose archive, where it is not the client's own */
  to?: string
  fields?: Record<string, string | readonly string[]>
  /** Inside <set/> */
  set?: string
  flip?: boolean
  queryId?: string
  /** Further children */
  more?: string
}

export interface Result {
  readonly id: string
  readonly body: string
  readonly stamp: string
  readonly message: Element
  /** The stanza that brought it */
  readonly carrier: Element
}

export interface Answer {
  /** The whole iq */
  readonly iq: Element
  readonly results: readonly Result[]
  readonly bodies: readonly string[]
  readonly first: string | undefined
  readonly last: string | undefined
  readonly complete: boolean
  /** The condition, where it is an error */
  readonly error: string | undefined
}

export function queryOf(options: QueryOptions = {}): string {
  const { fields, set, flip, queryId, more = '' } = options
  const form = fields ? formOf(fields) : ''
  const rsm = set === undefined ? '' : `<set xmlns='http://jabber.org/protocol/rsm'>${set}</set>`
  const id = queryId === undefined ? '' : ` queryid='${queryId}'`
  return `<query xmlns='${NS_ARCHIVE}'${id}>${form}${rsm}${flip ? '<flip-page/>' : ''}${more}</query>`
}

function formOf(fields: Record<string, string | readonly string[]>): string {
  const all = { FORM_TYPE: NS_ARCHIVE, ...fields }
  const items = Object.entries(all).map(([name, value]) => {
    const values = [value].flat().map((one) => `<value>${one}</value>`)
    return `<field var='${name}'>${values.join('')}</field>`
  })
  return `<x xmlns='jabber:x:data' type='submit'>${items.join('')}</x>`
}

/** Asks an archive; what came meanwhile besides stays in the inbox. */
export async function asks(client: Client, options: QueryOptions = {}): Promise<Answer> {
  const iq = await client.asks('set', options.to, queryOf(options))
  const results: Result[] = []
  client.inbox = client.inbox.filter((stanza) => {
    const result = stanza.getChild('result', NS_ARCHIVE)
    if (result) results.push(resultOf(stanza, result))
    return result === undefined
  })
  const fin = iq.getChild('fin', NS_ARCHIVE)
  const set = fin?.getChild('set', 'http://jabber.org/protocol/rsm')
  return {
    iq,
    results,
    bodies: results.map(({ body }) => body),
    first: set?.getChildText('first') ?? undefined,
    last: set?.getChildText('last') ?? undefined,
    complete: fin?.attrs.complete === 'true',
    error: iq.getChild('error')?.getChildElements()[0]?.getName(),
  }
}

function resultOf(carrier: Element, result: Element): Result {
  const forwarded = result.getChild('forwarded', 'urn:xmpp:forward:0')!
  const message = forwarded.getChild('message', 'jabber:client')!
  return {
    id: result.attrs.id,
    body: message.getChildText('body') ?? '',
    stamp: forwarded.getChild('delay', 'urn:xmpp:delay')!.attrs.stamp,
    message,
    carrier,
  }
}

export function chat(to: string, body: string, more = ''): string {
  return `<message to='${to}' type='chat' id='id of ${body}'><body>${body}</body>${more}</message>`
}

/** Lines of a conversation, one after the other. */
export async function says(client: Client, to: string, ...bodies: string[]): Promise<void> {
  for (const body of bodies) client.sends(chat(to, body))
  await client.settle()
}
