// What a message is, seen from its type and from the names of its children at depth 1: one number
// of bits, read once for each stanza and kept by it. The questions that are asked of it (is it kept,
// copied, counted) are in message-traits.ts. No tree is built, but of the rare element of a room.
//
// A child that changes nothing (an id, a thread, a nickname) has an entry of no bits; one that is
// not in the table at all sets `other`, because nobody can say that it does not matter.

import { NS_CLIENT } from './namespaces.js'
import type { Stanza } from './stanza.js'

export const trait = Object.freeze({
  /** The types of RFC 6121 §5.2.2; `normal` also where there is none, or one that nobody defined. */
  chat: 1 << 0,
  normal: 1 << 1,
  groupchat: 1 << 2,
  headline: 1 << 3,
  error: 1 << 4,
  /** In any language */
  body: 1 << 5,
  subject: 1 << 6,
  encrypted: 1 << 7,
  /** Something to show beside a body or in its place: a file, a sticker, a reference. */
  attachment: 1 << 8,
  chatState: 1 << 9,
  /** XEP-0184: `received`, not the request for it */
  receipt: 1 << 10,
  /** XEP-0333, and the two markers of its earlier versions */
  marker: 1 << 11,
  reactions: 1 << 12,
  retraction: 1 << 13,
  correction: 1 << 14,
  reply: 1 << 15,
  /** XEP-0353, XEP-0482 */
  call: 1 << 16,
  /** XEP-0249, and the mediated one of XEP-0045 §7.8.2 */
  invitation: 1 << 17,
  /** XEP-0045 §7.8.2: an invitation declined */
  declined: 1 << 18,
  /** The element of XEP-0045 that marks what has to do with a room */
  room: 1 << 19,
  store: 1 << 20,
  noStore: 1 << 21,
  noPermanentStore: 1 << 22,
  noCopy: 1 << 23,
  /** XEP-0280 §9 */
  private: 1 << 24,
  /** A message about another: a carbon copy (XEP-0280), a result (XEP-0313) or entry (XEP-0430). */
  wrapper: 1 << 25,
  fallback: 1 << 26,
  originId: 1 << 27,
  /** A notification of XEP-0060 */
  event: 1 << 28,
  /** A child that is not known here */
  other: 1 << 29,
})

export const NS_ARCHIVE = 'urn:xmpp:mam:2'
export const NS_CARBONS = 'urn:xmpp:carbons:2'
const NS_CHAT_STATES = 'http://jabber.org/protocol/chatstates'
export const NS_CHAT_MARKERS = 'urn:xmpp:chat-markers:0'
export const NS_CORRECTION = 'urn:xmpp:message-correct:0'
export const NS_FALLBACK = 'urn:xmpp:fallback:0'
const NS_HINTS = 'urn:xmpp:hints'
export const NS_INBOX = 'urn:xmpp:inbox:1'
export const NS_MUC_USER = 'http://jabber.org/protocol/muc#user'
export const NS_REACTIONS = 'urn:xmpp:reactions:0'
export const NS_RECEIPTS = 'urn:xmpp:receipts'
export const NS_REPLY = 'urn:xmpp:reply:0'
export const NS_RETRACTION = 'urn:xmpp:message-retract:1'
export const NS_STANZA_IDS = 'urn:xmpp:sid:0'

const NOTHING = 0
/** For whatever else is in the namespace */
const ANY = '*'

const own: Record<string, number> = {
  body: trait.body,
  subject: trait.subject,
  thread: NOTHING,
  error: NOTHING,
}

const extensions: Record<string, Record<string, number>> = {
  [NS_CHAT_STATES]: { [ANY]: trait.chatState },
  [NS_STANZA_IDS]: { 'origin-id': trait.originId, [ANY]: NOTHING },
  [NS_RECEIPTS]: { received: trait.receipt, request: NOTHING },
  [NS_CHAT_MARKERS]: {
    displayed: trait.marker,
    received: trait.marker,
    acknowledged: trait.marker,
    markable: NOTHING,
  },
  [NS_HINTS]: {
    store: trait.store,
    'no-store': trait.noStore,
    'no-permanent-store': trait.noPermanentStore,
    'no-copy': trait.noCopy,
    [ANY]: NOTHING,
  },
  'eu.siacs.conversations.axolotl': { encrypted: trait.encrypted },
  'urn:xmpp:omemo:1': { encrypted: trait.encrypted },
  'urn:xmpp:omemo:2': { encrypted: trait.encrypted },
  'urn:xmpp:openpgp:0': { openpgp: trait.encrypted },
  'jabber:x:encrypted': { x: trait.encrypted },
  'urn:xmpp:eme:0': { encryption: trait.encrypted },
  'jabber:x:signed': { x: NOTHING },
  'jabber:x:oob': { x: trait.attachment },
  'urn:xmpp:sfs:0': { [ANY]: trait.attachment },
  'urn:xmpp:reference:0': { reference: trait.attachment },
  'urn:xmpp:stickers:0': { sticker: trait.attachment },
  [NS_REACTIONS]: { reactions: trait.reactions },
  [NS_CORRECTION]: { replace: trait.correction },
  [NS_RETRACTION]: { retract: trait.retraction },
  [NS_REPLY]: { reply: trait.reply },
  [NS_FALLBACK]: { fallback: trait.fallback },
  'urn:xmpp:jingle-message:0': { [ANY]: trait.call },
  'urn:xmpp:call-invites:0': { [ANY]: trait.call },
  'jabber:x:conference': { x: trait.invitation },
  [NS_MUC_USER]: { x: trait.room },
  [NS_CARBONS]: { private: trait.private, received: trait.wrapper, sent: trait.wrapper },
  [NS_ARCHIVE]: { result: trait.wrapper },
  [NS_INBOX]: { entry: trait.wrapper },
  'http://jabber.org/protocol/pubsub#event': { event: trait.event },
  'urn:xmpp:delay': { delay: NOTHING },
  'urn:xmpp:occupant-id:0': { 'occupant-id': NOTHING },
  'http://jabber.org/protocol/nick': { nick: NOTHING },
  'http://jabber.org/protocol/xhtml-im': { html: NOTHING },
  'urn:xmpp:message-content:0': { [ANY]: NOTHING },
}

type Names = ReadonlyMap<string, number>

const names = (entries: Record<string, number>): Names => new Map(Object.entries(entries))
const OWN: Names = names(own)
const KNOWN: ReadonlyMap<string, Names> = new Map(
  Object.entries(extensions).map(([xmlns, entries]) => [xmlns, names(entries)]),
)

/** No bits for other stanzas. Only the stanza asks; everybody else asks it. */
export function readTraits(stanza: Stanza): number {
  if (stanza.kind !== 'message') return NOTHING
  const children = stanza.children
  let traits = ofType(stanza.type)
  for (let i = 0; i < children.length; i++) {
    const { name, xmlns } = children[i]!
    traits |= xmlns === NS_CLIENT ? (OWN.get(name) ?? trait.other) : ofExtension(name, xmlns)
  }
  return traits & trait.room ? traits | ofRoom(stanza) : traits
}

function ofExtension(name: string, xmlns: string): number {
  const known = KNOWN.get(xmlns)
  if (known === undefined) return trait.other
  return known.get(name) ?? known.get(ANY) ?? trait.other
}

/** RFC 6121 §5.2.2: a type that is not understood is taken for normal. */
function ofType(type: string): number {
  if (type === 'chat') return trait.chat
  if (type === 'groupchat') return trait.groupchat
  if (type === 'headline') return trait.headline
  return type === 'error' ? trait.error : trait.normal
}

/** XEP-0045 §7.8.2 */
function ofRoom(stanza: Stanza): number {
  const x = stanza.child('x', NS_MUC_USER)
  if (x?.getChild('invite', NS_MUC_USER)) return trait.invitation
  return x?.getChild('decline', NS_MUC_USER) ? trait.declined : NOTHING
}
