// What a client that is away has not acknowledged, as it is written into its session's row: with it a
// session that is made again knows as exactly as before what its client has. It names messages by their
// numbers in the log; what is in no log keeps its place, so that counts stay right.

import type { Outbox } from './outbox.js'

export interface WrittenDown {
  readonly acknowledged: number
  /** Numbers of the stanzas that were written after that, 0 for what is in no log */
  readonly written: readonly number[]
  /** What comes after this number was not written. */
  readonly after: number
}

export function writeDown(
  outbox: Outbox,
  known: { acknowledged: number; position: number; read: number | undefined },
): string {
  const { acknowledged, position, read } = known
  const written: number[] = []
  let lowest = Number.POSITIVE_INFINITY
  let highest = position
  let place = 0
  for (const { logId } of outbox) {
    if (place++ < outbox.written) {
      written.push(logId)
      highest = Math.max(highest, logId)
    } else if (logId > 0) lowest = Math.min(lowest, logId)
  }
  const down: WrittenDown = { acknowledged, written, after: Math.min(read ?? highest, lowest - 1) }
  return JSON.stringify(down)
}

export function readDown(text: string): WrittenDown | undefined {
  return text === '' ? undefined : (JSON.parse(text) as WrittenDown)
}

/** Into an empty queue. */
export function fill(outbox: Outbox, { written }: WrittenDown): void {
  for (const logId of written) outbox.push({ logId, size: 0 })
  outbox.written = written.length
}
