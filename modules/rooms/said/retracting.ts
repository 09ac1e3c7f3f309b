// Taking back what one said (XEP-0424): only who said it, under whatever nick, and nobody who has taken that nick
// since (SEC-56). What moderators do, and tombstones, are the room's own words: nobody else says them.

import { type Element, elements } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import { NS_RETRACTION } from '../../../lib/xmpp/message-children.js'
import { referredId } from '../../../lib/xmpp/message-references.js'
import { trait } from '../../../lib/xmpp/message-traits.js'
import type { Stanza } from '../../../lib/xmpp/stanza.js'
import { isAuthor } from './authors.js'
import type { RoomFeature, Speech } from '../feature.js'
import { NS_MODERATION } from './moderating.js'
import { entomb, entombInHistory, findSaid, mayBeTakenBack, saidBy } from './said-before.js'

/** Numbers of what is taken back, while the word that does so is on its way */
const meant = new WeakMap<JournalEntry, number>()

export const retracting: RoomFeature = {
  name: 'retracting',
  features: ({ settings }) => [
    NS_RETRACTION,
    ...(settings.archived ? [`${NS_RETRACTION}#tombstone`] : []),
  ],
  admit: ({ envelope }) => refuseForged(envelope.stanza),
  record: (speech, stanza) => {
    const reference = stanza.traits & trait.retraction ? referredId(stanza) : undefined
    if (reference?.kind === 'retraction') return retract(speech, stanza, reference.id)
  },
  spoken({ room, entry, stanza }) {
    const id = meant.get(entry)
    if (id !== undefined) entombInHistory(room, id, { id: stanza.id })
  },
}

async function retract(
  { room, occupant, entry }: Speech,
  stanza: Stanza,
  id: string,
): Promise<void> {
  // XEP-0424 §5
  if (stanza.id === '') throw new StanzaError('bad-request', 'a retraction needs an id')
  const found = await findSaid(room, id)
  // What is not here any more may be with others: clients look at the occupant id (XEP-0424 §5).
  if (!found) return
  if (!isAuthor(room, saidBy(found), occupant.account))
    throw new StanzaError('forbidden', 'somebody else said that')
  if (!mayBeTakenBack(found)) return
  await entomb(room, found, { id: stanza.id })
  meant.set(entry, found.id)
}

/** That of its earlier version is still understood by clients. */
const MODERATIONS = new Set([NS_MODERATION, 'urn:xmpp:message-moderate:0'])
const REFERRING = new Set([...MODERATIONS, NS_RETRACTION, 'urn:xmpp:fasten:0'])

/** XEP-0425 §7: in rooms only the room's own word counts, and not every client looks whose it is. */
function refuseForged(stanza: Stanza): void {
  if (!stanza.children.some(({ xmlns }) => REFERRING.has(xmlns))) return
  if (elements(stanza.element).some(isRoomsWord))
    throw new StanzaError('forbidden', 'only the room says what was moderated')
}

function isRoomsWord(child: Element): boolean {
  const xmlns = child.getNS()
  if (!REFERRING.has(xmlns ?? '')) return false
  return (child.getName() === 'retracted' && xmlns === NS_RETRACTION) || hasModeration(child)
}

/** Whatever prefixes it is written with */
function hasModeration(element: Element): boolean {
  if (MODERATIONS.has(element.getNS() ?? '')) return true
  return elements(element).some(hasModeration)
}
