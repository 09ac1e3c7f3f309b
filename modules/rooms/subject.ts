// What a room is about at the moment (XEP-0045 §7.2.15, §8.1): a message with a subject and no body.

import type { JournalEntry } from '../../lib/storage/journal.js'
import { delayed } from '../../lib/xmpp/delay.js'
import { type Wire, xml } from '../../lib/xmpp/element.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Speech } from './feature.js'
import type { Visitor } from './occupants.js'
import type { Room } from './room.js'

export interface Subject {
  /** The message that set it, wire text without addresses; '' where none was ever set */
  readonly text: Wire
  readonly nick: string
  readonly at: number
}

export const NO_SUBJECT: Subject = { text: '', nick: '', at: 0 }

const EMPTY = Stanza.of(xml('message', { type: 'groupchat' }, xml('subject')))

export function readSubject(text: string): Subject {
  return JSON.parse(text) as Subject
}

/** §8.1: any message can have a subject; without a body, and outside of a thread, it is the room's. */
export function setsSubject(stanza: Stanza): boolean {
  return (
    stanza.has('subject', NS_CLIENT) &&
    !stanza.has('body', NS_CLIENT) &&
    !stanza.has('thread', NS_CLIENT)
  )
}

export function subjectOf({ occupant, envelope }: Speech, stanza: Stanza): Subject {
  return { text: stanza.render('', ''), nick: occupant.jid.resource, at: envelope.arrived }
}

/** With the room, for whoever enters; on disk together with the message that sets it */
export function keepSubject(room: Room, entry: JournalEntry, subject = room.subject): void {
  room.venue.store.update(entry, room.number, { subject: JSON.stringify(subject) })
}

/** It is on disk. */
export function setSubject(room: Room, subject: Subject): void {
  room.subject = subject
  for (const { changed } of room.venue.features) changed?.(room)
}

/** To somebody who is new here, after what was said before */
export function sendSubject(room: Room, visitor: Visitor): void {
  const { text, nick, at } = room.subject
  const stanza =
    text === '' ? EMPTY : Stanza.parse(text).with({ append: delayed(at, room.jid.attr) })
  room.send(stanza, nick === '' ? room.jid : room.jid.withResource(nick), [visitor])
}

/** Its words, for whoever asks about the room */
export function subjectText({ subject }: Room): string {
  return subject.text === '' ? '' : (Stanza.parse(subject.text).text('subject') ?? '')
}
