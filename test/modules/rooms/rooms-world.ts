// People in a room, for the tests of rooms.

import type { Test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World, type WorldOptions, world } from '../../world/world.js'

export const SERVICE = `rooms.${DOMAIN}`
export const ROOM = `orchard@${SERVICE}`
export const NS_MUC = 'http://jabber.org/protocol/muc'
export const NS_USER = `${NS_MUC}#user`
export const NS_OWNER = `${NS_MUC}#owner`
export const NS_ADMIN = `${NS_MUC}#admin`
const NS_FORMS = 'jabber:x:data'

export const PEOPLE = ['romeo', 'juliet', 'nurse', 'tybalt', 'mercutio']

/** A world with rooms, and the modules of daily use. */
export function roomsWorld(t: Test, options: WorldOptions = {}): Promise<World> {
  const modules = ['rooms', 'presence', 'disco', 'stream-management']
  return world(t, { people: PEOPLE, modules, ...options })
}

/** Enters; what the room says stays in the inbox. */
export async function enters(
  client: Client,
  nick: string,
  { room = ROOM, inside = '', more = '' } = {},
): Promise<void> {
  client.sends(
    `<presence to='${room}/${nick}'><x xmlns='${NS_MUC}'>${inside}</x>${more}</presence>`,
  )
  await client.settle()
}

/** The owner's form with some fields; none for an instant room. */
export async function configures(
  client: Client,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  room = ROOM,
): Promise<Element> {
  const all = Object.entries(fields).map(([name, value]) => {
    const values = [value].flat().map((one) => `<value>${one}</value>`)
    return `<field var='${name.includes('#') ? name : `muc#roomconfig_${name}`}'>${values.join('')}</field>`
  })
  const type =
    all.length > 0
      ? `<field var='FORM_TYPE'><value>${NS_MUC}#roomconfig</value></field>${all.join('')}`
      : ''
  const form = `<x xmlns='${NS_FORMS}' type='submit'>${type}</x>`
  return client.asks('set', room, `<query xmlns='${NS_OWNER}'>${form}</query>`)
}

/** A room that is open, with its owner and others in it who have heard everything; by nick. */
export async function opened(
  w: World,
  people: Readonly<Record<string, Client>>,
  {
    fields = {},
    room = ROOM,
  }: { fields?: Record<string, string | readonly string[]>; room?: string } = {},
): Promise<void> {
  const [[nick, owner] = [], ...others] = Object.entries(people)
  await enters(owner!, nick!, { room })
  const answer = await configures(owner!, fields, room)
  if (answer.attrs.type !== 'result') throw new Error(`the room was not opened: ${answer}`)
  for (const [name, client] of others) await enters(client, name, { room })
  for (const client of Object.values(people)) await client.clears()
  await w.settle()
}

export function says(client: Client, body: string, { room = ROOM, more = '', id = '' } = {}): void {
  const named = id === '' ? '' : ` id='${id}'`
  client.sends(
    `<message type='groupchat' to='${room}'${named}><body>${body}</body>${more}</message>`,
  )
}

/** Bodies of what came, in order; everything that came is forgotten. */
export async function heard(client: Client): Promise<string[]> {
  await client.settle()
  const bodies = client.inbox
    .filter((element) => element.is('message'))
    .flatMap((element) => element.getChildText('body') ?? [])
  await client.clears()
  return bodies
}

/** Status codes of a presence or message */
export function codes(element: Element): string[] {
  const x = element.getChild('x', NS_USER)
  return (x?.getChildren('status') ?? []).map(({ attrs }) => String(attrs.code))
}

/** affiliation, role and jid in a presence */
export function item(element: Element): Record<string, string> {
  return { ...element.getChild('x', NS_USER)?.getChild('item')?.attrs } as Record<string, string>
}

/** The condition of an error */
export function condition(element: Element): string {
  const error = element.getChild('error')
  const child = error?.children.find((one) => typeof one !== 'string' && one.name !== 'text')
  return (child as Element | undefined)?.name ?? ''
}
