// What is done with a message: is it kept, counted, copied, must it wake somebody. All of it is
// decided from the bits of message-children.ts, so that every module decides alike. Preferences of an
// account and the settings of an operator come on top, in the modules.

import { NS_CARBONS, trait } from './message-children.js'
import { NS_CLIENT } from './namespaces.js'
import { Stanza } from './stanza.js'

export { trait }

/** The bits of a message, none for other stanzas. */
export function traitsOf(stanza: Stanza): number {
  return stanza.traits
}

/** Worth keeping, whatever else is in the message. */
const CONTENT =
  trait.body |
  trait.subject |
  trait.encrypted |
  trait.attachment |
  trait.receipt |
  trait.marker |
  trait.reactions |
  trait.retraction |
  trait.correction |
  trait.call |
  trait.invitation |
  trait.declined

const NEVER_KEPT = trait.noStore | trait.wrapper
const CONVERSATION = trait.chat | trait.normal

/**
 * A message of a person that must not be lost. XEP-0313 §6.1.1 names those with a body; the others
 * are as important to whoever reads the conversation later. A subject without a body is text for a
 * reader too (RFC 6121 §5.2.4). The hints are those of XEP-0334 §4: `no-store` wins.
 */
export function isDurable(stanza: Stanza): boolean {
  const traits = traitsOf(stanza)
  if (traits & trait.error) return isTellingError(stanza, traits)
  return (traits & CONVERSATION) !== 0 && isWorthKeeping(traits)
}

/** The same for what is said in a room; a subject is then the room's (XEP-0045 §8.1). */
export function isDurableInRoom(stanza: Stanza): boolean {
  const traits = traitsOf(stanza)
  return (traits & trait.groupchat) !== 0 && isWorthKeeping(traits)
}

function isWorthKeeping(traits: number): boolean {
  return (traits & NEVER_KEPT) === 0 && (traits & (CONTENT | trait.store)) !== 0
}

/**
 * An error says that a message of ours did not arrive, if its id says which. Hints in it are those of
 * that message and do not count (XEP-0334 §5). Where it echoes a mere chat state nothing was lost.
 */
function isTellingError(stanza: Stanza, traits: number): boolean {
  if (stanza.id === '' || traits & trait.wrapper) return false
  return (traits & trait.chatState) === 0 || (traits & CONTENT) !== 0
}

/** Durable, and an archive may have it for good (XEP-0334 §4.1). */
export function keptForGood(stanza: Stanza): boolean {
  return isDurable(stanza) && mayStay(traitsOf(stanza))
}

export function keptForGoodInRoom(stanza: Stanza): boolean {
  return isDurableInRoom(stanza) && mayStay(traitsOf(stanza))
}

function mayStay(traits: number): boolean {
  return (traits & trait.noPermanentStore) === 0 || (traits & trait.error) !== 0
}

const CHANGES_ANOTHER = trait.correction | trait.retraction | trait.reactions

/**
 * New to its reader. A correction, a retraction and a reaction bring a body for old clients only; a
 * receipt or marker has none, and where it travels with a body the body counts.
 */
export function countsAsUnread(stanza: Stanza): boolean {
  const traits = traitsOf(stanza)
  if ((traits & (CONVERSATION | trait.groupchat)) === 0) return false
  if (traits & (CHANGES_ANOTHER | trait.wrapper)) return false
  if (traits & trait.body) return true
  return (traits & trait.encrypted) !== 0 && !bringsKeysOnly(stanza)
}

/** XEP-0384 §5.5.3: an OMEMO message without a payload, which no reader sees. */
function bringsKeysOnly(stanza: Stanza): boolean {
  for (const { name, start, end } of stanza.children) {
    if (name === 'openpgp' || name === 'x') return false
    if (name === 'encrypted' && stanza.content.slice(start, end).includes('payload')) return false
  }
  return true
}

export type Direction = 'sent' | 'received'

const TYPICAL_OF_IM = trait.receipt | trait.chatState | trait.marker
const KEPT_FROM_COPYING = trait.private | trait.noCopy

/**
 * XEP-0280 §6.1, the rules of `urn:xmpp:carbons:rules:0`, for the account that sent or received the
 * message. Nobody remembers what an error answers: one with an id counts as an answer to a message
 * that was copied, unless the echo in it says that it was not; a client ignores an id that it does
 * not know. Copies are not copied again.
 */
export function mayBeCopied(stanza: Stanza, direction: Direction): boolean {
  const traits = traitsOf(stanza)
  if (traits & (trait.groupchat | trait.wrapper)) return false
  if (traits & trait.error) return isErrorToCopy(stanza, traits)
  if (traits & KEPT_FROM_COPYING) return false
  if (traits & trait.invitation) return true
  if (direction === 'received' && isPrivateInRoom(traits)) return false
  if (traits & (trait.chat | TYPICAL_OF_IM)) return true
  return (traits & trait.normal) !== 0 && (traits & trait.body) !== 0
}

function isErrorToCopy(stanza: Stanza, traits: number): boolean {
  return stanza.id !== '' && (traits & (trait.private | trait.room)) === 0
}

/** XEP-0045 §7.5: a private message carries the room's element, and nothing of the room's business. */
function isPrivateInRoom(traits: number): boolean {
  return (traits & trait.room) !== 0 && (traits & trait.declined) === 0
}

const HINTS =
  trait.store |
  trait.noStore |
  trait.noPermanentStore |
  trait.noCopy |
  trait.private |
  trait.originId
const TYPES = CONVERSATION | trait.groupchat | trait.headline
const BESIDE_A_STATE = TYPES | HINTS | trait.chatState | trait.room

/** XEP-0085 §2, §5.6: a notification that stands alone; a thread, ids and hints may be with it. */
export function isOnlyChatState(stanza: Stanza): boolean {
  const traits = traitsOf(stanza)
  return (traits & trait.chatState) !== 0 && (traits & ~BESIDE_A_STATE) === 0
}

const SIGNALS = trait.chatState | trait.receipt | trait.marker

/**
 * It tells what somebody does or has seen, and nothing else. Where it reaches nobody its sender is not
 * told: nothing was said that could be lost (XEP-0184 §4, XEP-0333 §1, XEP-0085 §5.8).
 */
export function isSignal(stanza: Stanza): boolean {
  const traits = traitsOf(stanza)
  return (traits & SIGNALS) !== 0 && (traits & ~(BESIDE_A_STATE | SIGNALS)) === 0
}

const CAN_WAIT =
  BESIDE_A_STATE |
  trait.receipt |
  trait.marker |
  trait.reactions |
  trait.retraction |
  trait.fallback |
  trait.reply |
  trait.event
/** Their bodies are for old clients. */
const BODY_CAN_WAIT = trait.reactions | trait.retraction

/**
 * Whether a client that nobody looks at must have it at once (XEP-0352 §3.2). Chat states, receipts,
 * markers, reactions, retractions, notifications and headlines can wait; so can what the account
 * itself wrote on another device. Whatever is not known to be able to wait goes.
 */
export function isUrgent(stanza: Stanza): boolean {
  const traits = traitsOf(stanza)
  if (traits & trait.headline) return false
  if (traits & trait.error) return true
  if (traits & trait.wrapper) return isUrgentWithin(stanza)
  const waits = traits & BODY_CAN_WAIT ? CAN_WAIT | trait.body : CAN_WAIT
  return (traits & ~waits) !== 0
}

/** XEP-0280 §7; results of an archive were asked for. */
function isUrgentWithin(stanza: Stanza): boolean {
  if (stanza.has('sent', NS_CARBONS)) return false
  const received = stanza.child('received', NS_CARBONS)
  const copied = received?.getChild('forwarded')?.getChild('message', NS_CLIENT)
  if (!copied) return true
  const within = Stanza.of(copied)
  return (traitsOf(within) & trait.wrapper) !== 0 || isUrgent(within)
}
