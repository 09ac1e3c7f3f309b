// Commands of a room (XEP-0050), as many as extensions of rooms ask for: one form, one answer. A form that comes
// back says everything there is to say, so nothing is kept between the two, and any owner of the room can go on.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { NS_FORMS, readForm } from '../../../lib/xmpp/forms.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import type { Room } from '../room.js'
import type { Later } from '../../../lib/core/later.js'

const NS_COMMANDS = 'http://jabber.org/protocol/commands'

export interface RoomCommand {
  readonly node: string
  readonly name: string
  may(request: RoomRequest): boolean
  /** What is to be filled in; without one it runs at once. */
  form?(room: Room): Element
  /** FORM_TYPE of what is filled in */
  readonly of?: string
  /** The form of the result */
  run(request: RoomRequest, given: Given): Later<Element | undefined | void>
}

/** The first value of a field that was filled in, '' where it was not */
export type Given = (field: string) => string

export const roomCommands: RoomFeature = {
  name: 'commands',
  iq: [{ set: 'command', xmlns: NS_COMMANDS, answer }],
  features: () => [NS_COMMANDS],
  nodeItems(request, node) {
    if (node !== NS_COMMANDS) return undefined
    const jid = request.room.jid.text
    return commandsOf(request.room)
      .filter((command) => command.may(request))
      .map((command) => ({ jid, node: command.node, name: command.name }))
  },
  // XEP-0050 §2.2
  nodeInfo(request, node) {
    if (node === NS_COMMANDS) return [identity('command-list', 'Commands')]
    const command = commandsOf(request.room).find((one) => one.node === node)
    if (!command?.may(request)) return undefined
    return [
      identity('command-node', command.name),
      xml('feature', { var: NS_COMMANDS }),
      xml('feature', { var: NS_FORMS }),
    ]
  },
}

function commandsOf({ venue }: Room): RoomCommand[] {
  return venue.features.flatMap(({ commands }) => commands ?? [])
}

function identity(type: string, name: string): Element {
  return xml('identity', { category: 'automation', type, name })
}

const GOES_ON = ['execute', 'complete', 'next']

async function answer(request: RoomRequest): Promise<Element> {
  const { room, element } = request
  const { node = '', action = 'execute' } = element.attrs
  const sessionid = element.attrs.sessionid ?? room.venue.host.random.id()
  const command = commandsOf(room).find((one) => one.node === node)
  if (!command) throw new StanzaError('item-not-found', 'there is no such command')
  if (!command.may(request)) throw new StanzaError('forbidden', 'you may not do that')
  const reply = (status: string, ...children: (Element | undefined)[]): Element =>
    xml('command', { xmlns: NS_COMMANDS, node, sessionid, status }, ...children)
  if (action === 'cancel') return reply('canceled')
  // XEP-0050 §4.4
  if (!GOES_ON.includes(action))
    throw new StanzaError('bad-request', undefined, {
      application: { name: 'bad-action', xmlns: NS_COMMANDS },
    })
  const submitted = readForm(element, command.of)
  if (submitted?.type === 'cancel') return reply('canceled')
  if (!submitted && command.form) {
    const actions = xml('actions', { execute: 'complete' }, xml('complete'))
    return reply('executing', actions, command.form(room))
  }
  const given: Given = (field) => submitted?.values.get(field)?.[0]?.trim() ?? ''
  return reply('completed', (await command.run(request, given)) ?? undefined)
}
