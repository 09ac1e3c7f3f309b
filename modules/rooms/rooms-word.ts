// What only a room says, of itself and of those who are in it: taken out of whatever comes from them before
// the room's own is added, all of it, not the first alone (XEP-0045 §17.3, XEP-0359 §3, XEP-0421 §4; SEC-53,
// SEC-54, SEC-57).

import { NS_DELAY } from '../../lib/xmpp/delay.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_STANZA_IDS } from '../../lib/xmpp/message-children.js'
import { attribute } from '../../lib/xmpp/message-references.js'
import type { Stanza, StanzaChild } from '../../lib/xmpp/stanza.js'
import {
  NS_HATS,
  NS_MUC,
  NS_MUC_ADMIN,
  NS_MUC_OWNER,
  NS_MUC_USER,
  NS_OCCUPANT_ID,
} from './presences.js'

const ROOMS_OWN = new Set([
  ...[NS_MUC, NS_MUC_USER, NS_MUC_ADMIN, NS_MUC_OWNER],
  ...[NS_OCCUPANT_ID, NS_HATS],
])

/** Itself where nothing is taken out */
export function withoutRoomsWord(stanza: Stanza, room: Jid): Stanza {
  return stanza.without((child) => ROOMS_OWN.has(child.xmlns) || isInItsName(stanza, child, room))
}

/** Ids and times are others' too; what is no address was given by nobody. */
function isInItsName(stanza: Stanza, child: StanzaChild, room: Jid): boolean {
  const { name, xmlns } = child
  if (xmlns === NS_STANZA_IDS && name === 'stanza-id') return isOf(room, by('by'), true)
  return xmlns === NS_DELAY && isOf(room, by('from'), false)

  function by(key: string): string | undefined {
    return attribute(stanza, child, key)?.trim()
  }
}

function isOf(room: Jid, text: string | undefined, nobodys: boolean): boolean {
  if (text === undefined) return nobodys
  const jid = Jid.tryParse(text)
  return jid === undefined || jid.bare.equals(room)
}
