// What a room says of somebody's presence (XEP-0045 §7.1.3): the presence that was sent, with the room's own
// word on who that is. Who may see real addresses gets another text than who may not; each is made once.

import { escapeXml, toWire, type Wire } from '../../lib/xmpp/element.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Affiliation, Role } from './standing.js'

export const NS_MUC = 'http://jabber.org/protocol/muc'
export const NS_MUC_USER = `${NS_MUC}#user`
export const NS_MUC_ADMIN = `${NS_MUC}#admin`
export const NS_MUC_OWNER = `${NS_MUC}#owner`
export const NS_OCCUPANT_ID = 'urn:xmpp:occupant-id:0'
export const NS_HATS = 'urn:xmpp:hats:0'

/** Who did it, and why */
export interface Cause {
  /** Nick of the occupant who did it */
  readonly actor?: string | undefined
  readonly reason?: string | undefined
}

export interface Item extends Cause {
  readonly affiliation: Affiliation
  readonly role: Role
  /** Real address, for who may see it */
  readonly jid?: Jid | undefined
  /** The new one, where it changes (§7.6) */
  readonly nick?: string | undefined
}

/** `<x/>` of muc#user; `more` is wire text within it. */
export function userElement(item: Item, codes: readonly number[] = [], more: Wire = ''): Wire {
  const statuses = codes.map((code) => `<status code='${code}'/>`).join('')
  return `<x xmlns='${NS_MUC_USER}'>${itemElement(item)}${statuses}${more}</x>`
}

function itemElement({ affiliation, role, jid, nick, actor, reason }: Item): Wire {
  const attributes =
    ` affiliation='${affiliation}' role='${role}'` +
    attribute('jid', jid?.text) +
    attribute('nick', nick)
  const inner =
    (actor === undefined ? '' : `<actor${attribute('nick', actor)}/>`) +
    (reason ? `<reason>${wire(reason)}</reason>` : '')
  return inner === '' ? `<item${attributes}/>` : `<item${attributes}>${inner}</item>`
}

function attribute(name: string, value: string | undefined): Wire {
  return value === undefined ? '' : ` ${name}='${wire(value)}'`
}

export function wire(text: string): Wire {
  return toWire(escapeXml(text))
}

/** What it says of itself as it goes is its status alone (§7.14). */
export function unavailable(last?: Stanza): Stanza {
  return last?.type === 'unavailable' ? last : GONE
}

const GONE = new Stanza({
  ...{ kind: 'presence', type: 'unavailable', id: '', to: undefined, from: undefined, lang: '' },
  ...{ attributes: " type='unavailable'", content: '', children: [] },
})
