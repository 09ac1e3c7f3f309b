// Whom a group of messages concerns, where several nodes write the log: which lives have sessions of its
// accounts, and what was before each message in their logs. PostgreSQL says both within the commit, and the
// second once more of a commit whose answer was lost.

import { type LoggedMessage, numberAt } from './logged-message.js'
import { concerned, readLast, readLives } from './whereabouts.js'
import type { Answer, Write } from './writes.js'

/**
 * Milliseconds after which everybody has been shown what is in the log, by its number. That is given by the
 * time at which it was sent to the database: one that hangs makes it visible when it goes on, and whoever
 * wrote it asks for a minute what became of it.
 */
const SHOWN = 120_000

/** `place`: where the log that writes them notes from which number on they are */
export function concerns(messages: readonly LoggedMessage[], place: number): Write {
  const accounts = [...new Set(messages.flatMap(ownersIn))]
  return concerned({ accounts, place, within: numberAt(SHOWN) })
}

function ownersIn({ sender, recipient }: LoggedMessage): number[] {
  return [sender, recipient].flatMap((side) => side?.owner ?? [])
}

export function setLives(messages: readonly LoggedMessage[], answer: Answer): void {
  const lives = readLives(answer)
  for (const message of messages) {
    const ofAll = ownersIn(message).flatMap((owner) => lives.get(owner) ?? [])
    message.lives = ofAll.length > 1 ? [...new Set(ofAll)] : ofAll
  }
}

/** In the order of their numbers */
export function setPrevious(messages: readonly LoggedMessage[], answer: Answer): void {
  const last = readLast(answer)
  for (const { id, duplicate, sender, recipient } of messages) {
    if (duplicate) continue
    for (const side of [sender, recipient]) {
      if (!side) continue
      side.previous = last.get(side.owner) ?? 0
      last.set(side.owner, id)
    }
  }
}
