// What the tests of client state share: a phone that nobody looks at, and what others send it.

import type { Test } from 'tap'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World, type WorldOptions, world } from '../../world/world.js'

export const NS_CSI = 'urn:xmpp:csi:0'
export const JULIET = `juliet@${DOMAIN}`
export const ROMEO = `romeo@${DOMAIN}`
export const STATES = 'http://jabber.org/protocol/chatstates'

export const modules = ['client-state', 'presence', 'ping']
export const durable = [...modules, 'archive', 'stream-management', 'offline-messages', 'carbons']

export interface Setting extends World {
  readonly orchard: Client
  readonly phone: Client
}

/** Juliet's phone is in her pocket. */
export async function pocket(t: Test, options: WorldOptions = {}): Promise<Setting> {
  const w = await world(t, { modules, loggedIn: false, ...options })
  const orchard = await w.device('romeo', 'orchard')
  const phone = await w.device('juliet', 'phone', { node: (options.nodes ?? 1) - 1 })
  for (const device of [orchard, phone]) await device.comesOnline()
  for (const device of [orchard, phone]) await device.clears()
  says(phone, 'inactive')
  await phone.settle()
  return Object.assign(w, { orchard, phone })
}

export function says(client: Client, state: 'active' | 'inactive'): void {
  client.sends(`<${state} xmlns='${NS_CSI}'/>`)
}

/** Directed, so that no subscription is needed. */
export function shows(client: Client, show: string, to = JULIET): void {
  client.sends(`<presence to='${to}'><show>${show}</show></presence>`)
}

export function types(client: Client, state: string): void {
  client.sends(`<message to='${JULIET}' type='chat'><${state} xmlns='${STATES}'/></message>`)
}

export function marks(client: Client, id: string, to = JULIET): void {
  const marker = `<displayed xmlns='urn:xmpp:chat-markers:0' id='${id}'/>`
  client.sends(`<message to='${to}' id='${id}'>${marker}</message>`)
}

export function writes(client: Client, words: string, to = JULIET): void {
  client.sends(`<message to='${to}' type='chat' id='${words}'><body>${words}</body></message>`)
}

/** What came, each as a word, and is forgotten. */
export async function came(client: Client): Promise<string[]> {
  await client.settle()
  const elements = client.inbox.filter((element) =>
    /^(message|presence|iq)$/.test(element.getName()),
  )
  client.inbox = []
  return elements.map((element) => {
    const state = element.getChildElements().find((child) => child.getNS() === STATES)
    const sent = element.getChild('sent')?.getChild('forwarded')?.getChild('message')
    const what = element.getChildText('show') ?? state?.getName() ?? element.attrs.id
    return sent ? `sent ${sent.attrs.id}` : (what ?? element.attrs.type ?? element.getName())
  })
}
