// A message to everybody (XEP-0045 §7.4): decided in the room's lane, kept where the room keeps what is said,
// on disk before anybody gets it. One text for all; only the address at its head differs.

import { INCOMING, KEPT, LoggedMessage, UNREAD } from '../../lib/storage/logged-message.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Wire } from '../../lib/xmpp/element.js'
import { hash53 } from '../../lib/xmpp/hash53.js'
import { NS_STANZA_IDS } from '../../lib/xmpp/message-children.js'
import { originId } from '../../lib/xmpp/message-references.js'
import { countsAsUnread, keptForGoodInRoom } from '../../lib/xmpp/message-traits.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { authorElement, authorLabel } from './said/authors.js'
import type { Speech, Visit } from './feature.js'
import { mustBeHere } from './going.js'
import { occupantId } from './people/occupant-ids.js'
import type { Occupant } from './occupants.js'
import type { Room } from './room.js'
import { withoutRoomsWord } from './rooms-word.js'
import { hasRole } from './standing.js'
import { keepSubject, setsSubject, setSubject, type Subject, subjectOf } from './subject.js'

export async function speak(room: Room, visit: Visit): Promise<undefined> {
  const { occupant, visitor } = mustBeHere(room, visit)
  const { envelope } = visit
  checkVoice(room, occupant, envelope.stanza)
  const { features, host } = room.venue
  const speech: Speech = { room, occupant, visitor, envelope, entry: host.journal.entry() }
  // Nothing waits here unless a feature does: the order of messages is that of their commits.
  for (const { admit } of features) {
    const later = admit?.(speech)
    if (later) await later
  }
  let stanza = withoutRoomsWord(envelope.stanza, room.jid)
  for (const { amend } of features) {
    const amended = amend?.(stanza, speech)
    if (amended) stanza = amended instanceof Promise ? await amended : amended
  }
  for (const { record } of features) {
    const later = record?.(speech, stanza)
    if (later) await later
  }
  const logged = keep(room, { speech, stanza, visit })
  const subject = setsSubject(stanza) ? subjectOf(speech, stanza) : undefined
  if (subject) keepSubject(room, speech.entry, subject)
  await host.journal[speech.entry.empty ? 'settled' : 'commit'](speech.entry)
  // What was said before, and comes once more, is not the subject again.
  if (subject && logged?.duplicate) await room.commit((entry) => keepSubject(room, entry))
  say(speech, stanza, { logged, subject })
}

/** §7.4, §8.1 */
function checkVoice({ settings }: Room, { role }: Occupant, stanza: Stanza): void {
  if (setsSubject(stanza)) {
    const may =
      role === 'moderator' || (settings.anyoneMaySetSubject && hasRole(role, 'participant'))
    if (!may) throw new StanzaError('forbidden', 'you may not change the subject')
  } else if (!hasRole(role, 'participant')) {
    throw new StanzaError('forbidden', 'you have no voice in this room')
  }
}

/** Its row in the log, where the room keeps what is said */
function keep(
  room: Room,
  { speech, stanza, visit }: { speech: Speech; stanza: Stanza; visit: Visit },
): LoggedMessage | undefined {
  const { settings, logNumber } = room
  if (!settings.archived || !keptForGoodInRoom(stanza)) return undefined
  const origin = originId(stanza)
  const account = speech.occupant.account.text
  // Sent twice, or asked again of a new owner: kept once.
  const same = origin ? `${account}\n${origin}\n${stanza.content}` : `\n${visit.number}`
  const logged = new LoggedMessage({
    from: speech.occupant.jid,
    to: room.jid,
    text: stanza.render('', '', authorElement(room, speech.occupant, speech.visitor)),
    label: authorLabel(occupantId(room, speech.occupant.account)),
    key: hash53(same).toString(36) + hash53(`2\n${same}`).toString(36).padStart(11, '0'),
    author: logNumber,
  })
  const flags = countsAsUnread(stanza) ? KEPT | INCOMING | UNREAD : KEPT | INCOMING
  logged.recipient = { owner: logNumber, flags }
  speech.entry.message = logged
  return logged
}

/** It is on disk, and everybody gets it. What was there already goes back to its sender alone. */
function say(
  speech: Speech,
  stanza: Stanza,
  { logged, subject }: { logged: LoggedMessage | undefined; subject: Subject | undefined },
): void {
  const { room, occupant, envelope } = speech
  const id = logged?.id ?? 0
  const said = id === 0 ? stanza : stanza.with({ append: stanzaId(room, id) })
  if (logged?.duplicate) {
    room.send(said, occupant.jid, occupant.visitors)
    return
  }
  room.sendToAll(said, occupant.jid, id)
  const at = envelope.arrived
  if (subject) setSubject(room, subject)
  else if (keptForGoodInRoom(stanza)) room.history.add({ from: occupant.jid, stanza: said, at })
  for (const { spoken } of room.venue.features) spoken?.({ ...speech, stanza: said, id })
}

export function stanzaId({ jid, venue }: Room, id: number): string {
  return stanzaIdElement(jid, venue.seal(id))
}

export function stanzaIdElement(room: Jid, id: string): Wire {
  return `<stanza-id xmlns='${NS_STANZA_IDS}' by='${room.attr}' id='${id}'/>`
}
