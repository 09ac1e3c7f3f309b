// Ad-hoc commands as a client runs them (XEP-0050): execute, and send the form back filled in.

import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'

export const NS_COMMANDS = 'http://jabber.org/protocol/commands'
export const ADMIN = 'http://jabber.org/protocol/admin'

export type Fields = Record<string, string | readonly string[]>

export interface Sent {
  readonly to?: string
  readonly action?: string
  readonly sessionid?: string
  readonly form?: string
}

/** The whole answer, an error too. */
export function command(client: Client, node: string, sent: Sent = {}): Promise<Element> {
  const { to = 'capulet.example', action, sessionid, form = '' } = sent
  const attributes = [
    ...(action === undefined ? [] : [` action='${action}'`]),
    ...(sessionid === undefined ? [] : [` sessionid='${sessionid}'`]),
  ].join('')
  const child = `<command xmlns='${NS_COMMANDS}' node='${node}'${attributes}>${form}</command>`
  return client.asks('set', to, child)
}

export function submitted(fields: Fields, type = 'submit', of = ADMIN): string {
  const written = Object.entries({ FORM_TYPE: of, ...fields }).map(([name, value]) => {
    const values = [value].flat().map((one) => `<value>${one}</value>`)
    return `<field var='${name}'>${values.join('')}</field>`
  })
  return `<x xmlns='jabber:x:data' type='${type}'>${written.join('')}</x>`
}

/** Begins it and, where it asks for a form, sends the fields. */
export async function runs(
  client: Client,
  node: string,
  fields?: Fields,
  to?: string,
): Promise<Element> {
  const where = to === undefined ? {} : { to }
  const first = await command(client, node, where)
  const begun = first.getChild('command', NS_COMMANDS)
  if (!fields || begun?.attrs.status !== 'executing') return first
  const { sessionid } = begun.attrs
  return command(client, node, { ...where, sessionid, form: submitted(fields) })
}

/** Values of a field of the form in an answer; undefined where there is no such field. */
export function values(answer: Element, name: string): string[] | undefined {
  const form = answer.getChild('command', NS_COMMANDS)?.getChild('x', 'jabber:x:data')
  const field = form?.getChildren('field').find(({ attrs }) => attrs.var === name)
  return field?.getChildren('value').map((value) => value.getText())
}

export function status(answer: Element): string {
  return answer.getChild('command', NS_COMMANDS)?.attrs.status ?? 'none'
}

/** The conditions of the error: the one of RFC 6120, and the application's where there is one. */
export function conditions(answer: Element): string[] {
  const children = answer.getChild('error')?.getChildElements() ?? []
  return children.map((child) => child.getName()).filter((name) => name !== 'text')
}
