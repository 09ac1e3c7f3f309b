// What was said before, as somebody refers to it (XEP-0424 §6): by the id that the room gave it. What is taken
// back is replaced where it is kept and where newcomers hear of it: by a tombstone, with the author and
// nothing of the words.

import { RETRACTED } from '../../../lib/storage/logged-message.js'
import type { Logged } from '../../../lib/storage/message-log.js'
import { isTrouble } from '../../../lib/storage/trouble.js'
import { stampOf } from '../../../lib/xmpp/delay.js'
import { fromWire, toWire, type Wire } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { NS_RETRACTION } from '../../../lib/xmpp/message-children.js'
import { trait } from '../../../lib/xmpp/message-traits.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { shownAs } from './authors.js'
import { NS_MUC_USER, NS_OCCUPANT_ID, wire } from '../presences.js'
import type { Room } from '../room.js'
import { stanzaId } from '../speaking.js'

/** Undefined for what is not in the archive of this room */
export async function findSaid(room: Room, id: string): Promise<Logged | undefined> {
  const { venue, logNumber } = room
  const number = venue.open(id)
  if (number === undefined) return undefined
  const { messages } = await venue.host.messages.page({ owner: logNumber, ids: [number], limit: 1 })
  return messages[0]
}

/** A retraction stays, and so does what is retracted already. */
export function mayBeTakenBack({ text, flags }: Logged): boolean {
  if (flags & RETRACTED) return false
  return (Stanza.parse(toWire(text)).traits & trait.retraction) === 0
}

export interface TakenBack {
  /** The message that says so (XEP-0424 §4) */
  readonly id: string
  /** Within `<retracted/>`, wire text */
  readonly more?: Wire
}

/** On disk when it resolves */
export async function entomb(room: Room, { id, text }: Logged, by: TakenBack): Promise<void> {
  const { host } = room.venue
  const kept = tombstone(Stanza.parse(toWire(text)), by, host.clock.now())
  try {
    await host.messages.replace(id, fromWire(kept.render('', '')))
  } catch (error) {
    throw isTrouble(error) ? new StanzaError('resource-constraint') : error
  }
}

/** Nobody who comes now hears what it said. */
export function entombInHistory(room: Room, id: number, by: TakenBack): void {
  const name = stanzaId(room, id)
  room.history.replace(
    ({ stanza }) => stanza.content.includes(name),
    (said) => {
      const stanza = tombstone(said.stanza, by, room.venue.host.clock.now())
      return { ...said, stanza: stanza.with({ append: name }) }
    },
  )
}

/** XEP-0424 §4; the author's occupant id stays (XEP-0425 §6), and the address for who may see it. */
function tombstone(stanza: Stanza, { id, more = '' }: TakenBack, now: number): Stanza {
  const head = `<retracted xmlns='${NS_RETRACTION}' stamp='${stampOf(now)}' id='${wire(id)}'`
  const append = more === '' ? `${head}/>` : `${head}>${more}</retracted>`
  const stays = (xmlns: string): boolean => xmlns === NS_OCCUPANT_ID || xmlns === NS_MUC_USER
  const text = stanza.without(({ xmlns }) => !stays(xmlns)).with({ append })
  return text
}

/** As who may not see authors is shown it */
export function saidBy({ text }: Logged): Stanza {
  return shownAs(text, 'none')
}
