// Answers of many stanzas are much text at once. One ends where it grows too long, and the next one is
// written when the client has taken most of what was written before: else a client on a slow line that
// asks for several would be cut off as one that does not read. What it acknowledges is not waited for:
// that would not be heard while its stream is held for what it asked.

import type { Session } from './session.js'

/** LIM-archive-page: characters of the messages of one answer; one message is always in it */
export const MOST_TEXT = 512 * 1024
/** Bytes on their way to the kernel beyond which a client that reads slowly is given no more */
export const MOST_BUFFERED = 256 * 1024
const LOOK_AGAIN = 50

/** How many of these lengths, the first of them, make one answer. */
export function fitting(lengths: readonly number[]): number {
  let text = 0
  for (const [count, length] of lengths.entries()) {
    text += length
    if (text > MOST_TEXT) return Math.max(count, 1)
  }
  return lengths.length
}

/** Resolves when an answer may be written. */
export async function untilRoom(session: Session): Promise<void> {
  for (let full = roomFor(session); full; full = roomFor(session)) await full
}

function roomFor({ stream, host }: Session): Promise<void> | undefined {
  if (!stream || stream.transport.buffered <= MOST_BUFFERED) return undefined
  return new Promise((resolve) => host.clock.after(LOOK_AGAIN, resolve))
}
