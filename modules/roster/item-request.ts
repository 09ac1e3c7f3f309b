// What a client may write in its roster (RFC 6121 §2.3.3), with the limits on names and groups
// (SEC-64).

import { type Element, elements } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_ROSTER } from '../../lib/xmpp/namespaces.js'

/** LIM-roster-names, LIM-roster-groups: octets of a name, groups of a contact */
const MOST_OCTETS = 1023
const MOST_GROUPS = 50

export interface ItemRequest {
  readonly contact: Jid
  readonly name: string
  readonly groups: readonly string[]
  readonly remove: boolean
}

export function readItem(query: Element, account: Jid): ItemRequest {
  const items = elements(query).filter((child) => child.is('item', NS_ROSTER))
  if (items.length !== 1 || elements(query).length !== 1) {
    throw new StanzaError('bad-request', 'one item is wanted')
  }
  const item = items[0]!
  return {
    contact: readContact(item.attrs.jid, account),
    name: readText(item.attrs.name ?? '', 'name'),
    groups: readGroups(item),
    remove: item.attrs.subscription === 'remove',
  }
}

function readContact(written: unknown, account: Jid): Jid {
  if (typeof written !== 'string') throw new StanzaError('bad-request', 'the item has no jid')
  const contact = Jid.tryParse(written)?.bare
  if (!contact) throw new StanzaError('jid-malformed')
  if (contact.equals(account)) throw new StanzaError('not-allowed', 'this is your own address')
  return contact
}

function readGroups(item: Element): string[] {
  const groups = item
    .getChildren('group', NS_ROSTER)
    .map((group) => readText(group.getText(), 'group'))
  if (groups.includes('')) throw new StanzaError('not-acceptable', 'a group has no name')
  if (new Set(groups).size < groups.length) {
    throw new StanzaError('bad-request', 'a group is named twice')
  }
  if (groups.length > MOST_GROUPS) {
    throw new StanzaError('policy-violation', `a contact is in at most ${MOST_GROUPS} groups`)
  }
  return groups
}

function readText(text: string, what: string): string {
  if (Buffer.byteLength(text) <= MOST_OCTETS) return text
  throw new StanzaError('not-acceptable', `the ${what} is longer than ${MOST_OCTETS} octets`)
}
