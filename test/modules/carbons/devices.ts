// What the tests of carbon copies share: devices that see copies, and what a copy has inside.

import type { Test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World, type WorldOptions } from '../../world/world.js'

export const NS_CARBONS = 'urn:xmpp:carbons:2'
export const ROMEO = `romeo@${DOMAIN}`
export const JULIET = `juliet@${DOMAIN}`

export interface Devices extends World {
  /** Romeo's only one */
  readonly orchard: Client
  /** Juliet's; the laptop is on the last node */
  readonly phone: Client
  readonly laptop: Client
}

/** All three are online; Juliet's have asked for copies. */
export async function devices(t: Test, options: WorldOptions = {}): Promise<Devices> {
  const nodes = options.nodes ?? 1
  const database = nodes === 2 ? await freshPostgres() : 'sqlite:memory'
  const modules = ['carbons', 'presence', 'archive', 'client-protection']
  const w = await world(t, { modules, database, loggedIn: false, ...options })
  const orchard = await w.device('romeo', 'orchard')
  const phone = await w.device('juliet', 'phone')
  const laptop = await w.device('juliet', 'laptop', { node: nodes - 1 })
  for (const device of [orchard, phone, laptop]) await device.comesOnline()
  for (const device of [phone, laptop]) await wantsCopies(device)
  for (const device of [orchard, phone, laptop]) await device.clears()
  return Object.assign(w, { orchard, phone, laptop })
}

export async function wantsCopies(client: Client, wants = true): Promise<Element> {
  return client.asks('set', undefined, `<${wants ? 'enable' : 'disable'} xmlns='${NS_CARBONS}'/>`)
}

export interface Copy {
  readonly direction: 'sent' | 'received'
  /** The stanza that brought it */
  readonly carrier: Element
  readonly message: Element
}

/** Undefined where this is none. */
export function copyIn(carrier: Element): Copy | undefined {
  for (const direction of ['sent', 'received'] as const) {
    const message = carrier
      .getChild(direction, NS_CARBONS)
      ?.getChild('forwarded', 'urn:xmpp:forward:0')
      ?.getChild('message', 'jabber:client')
    if (message) return { direction, carrier, message }
  }
  return undefined
}

/** The messages a device got, each as a word, and forgets them: 'sent hello', 'received hello', 'hello'. */
export async function seen(client: Client): Promise<string[]> {
  await client.settle()
  const came = client.inbox
  client.inbox = []
  return came.filter((element) => element.is('message')).map(inWords)
}

function inWords(element: Element): string {
  const copy = copyIn(element)
  const { attrs } = copy?.message ?? element
  const what = attrs.type === 'error' ? `error ${attrs.id}` : (attrs.id ?? '?')
  return copy ? `${copy.direction} ${what}` : what
}

/** A chat message whose id is its body. */
export function says(
  client: Client,
  words: string,
  { to, type = 'chat', more = '' }: { to: string; type?: string; more?: string },
): void {
  client.sends(
    `<message to='${to}' type='${type}' id='${words}'><body>${words}</body>${more}</message>`,
  )
}
