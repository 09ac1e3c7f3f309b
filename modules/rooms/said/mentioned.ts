// Who is named in what is said: by address, by the nick that is reserved for them (XEP-0372 §3.2), or by the id
// that they have in the room (XEP-0513 §3.1). A nick in the text alone names nobody.

import type { Element } from '../../../lib/xmpp/element.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Stanza } from '../../../lib/xmpp/stanza.js'
import { occupantId } from '../people/occupant-ids.js'
import type { Room } from '../room.js'

const NS_REFERENCE = 'urn:xmpp:reference:0'
const NS_MENTION = 'urn:xmpp:mentions:0'

/** LIM-mentions: beyond so many with a standing, only those who are here are known by their ids. */
export const MOST_BY_ID = 5000
/** LIM-mentions: of one message */
export const MOST_NAMED = 100

export function namesSomebody(stanza: Stanza): boolean {
  return stanza.children.some(({ xmlns }) => xmlns === NS_REFERENCE || xmlns === NS_MENTION)
}

/** Bare addresses, each once */
export function mentioned(room: Room, stanza: Stanza): Set<string> {
  const { element } = stanza
  const references = element
    .getChildren('reference', NS_REFERENCE)
    .filter(({ attrs }) => attrs.type === 'mention')
    .slice(0, MOST_NAMED)
    .map((reference) => byAddress(room, reference))
  const named = element
    .getChildren('mention', NS_MENTION)
    .slice(0, MOST_NAMED)
    .map((mention) => byIdOrAddress(room, mention))
  return new Set([...references, ...named].flatMap((account) => account?.text ?? []))
}

function byAddress(room: Room, { attrs }: Element): Jid | undefined {
  const [, text = ''] = /^xmpp:([^?#]+)/.exec(String(attrs.uri ?? '')) ?? []
  const jid = Jid.tryParse(decoded(text))
  if (!jid?.bare.equals(room.jid)) return jid?.bare
  return room.affiliations.reserved(jid.resource)?.jid
}

function byIdOrAddress(room: Room, { attrs }: Element): Jid | undefined {
  const { jid, occupantid } = attrs
  if (occupantid === undefined) return Jid.tryParse(String(jid ?? ''))?.bare
  for (const { account } of room.occupants.all())
    if (occupantId(room, account) === occupantid) return account
  if (room.affiliations.size > MOST_BY_ID) return undefined
  for (const { jid } of room.affiliations.all())
    if (occupantId(room, jid) === occupantid) return jid
  return undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
