// Pages are much text at once. A page ends where it grows too long, and the next one is written when the
// client has taken most of what was written before: else a client on a slow line that asks for several
// pages would be cut off as one that does not read.

import type { Session } from '../../lib/core/session.js'
import type { Logged } from '../../lib/storage/message-log.js'
import type { FoundPage } from './reading.js'

/** LIM-archive-page: characters of the messages of one page; one message is always on it */
const MOST_TEXT = 512 * 1024
const MOST_BUFFERED = 256 * 1024
const LOOK_AGAIN = 50

/** What was asked for first of a page that is too long: it is then not complete. */
export function shortened(page: FoundPage, backwards: boolean): FoundPage {
  const { messages } = page
  const count = backwards ? fitting([...messages].reverse()) : fitting(messages)
  if (count === messages.length) return page
  const kept = backwards ? messages.slice(-count) : messages.slice(0, count)
  return { messages: kept, complete: false }
}

function fitting(messages: readonly Logged[]): number {
  let text = 0
  for (let count = 0; count < messages.length; count++) {
    text += messages[count]!.text.length
    if (text > MOST_TEXT) return Math.max(count, 1)
  }
  return messages.length
}

/** Undefined where there is room; else call it again when it resolves. */
export function roomFor(session: Session): Promise<void> | undefined {
  const { stream, host } = session
  if (!stream || stream.transport.buffered <= MOST_BUFFERED) return undefined
  return new Promise((resolve) => host.clock.after(LOOK_AGAIN, resolve))
}
