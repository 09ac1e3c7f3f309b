// What a client that is away has not acknowledged, as it is written into its session's row: with it a
// session that is made again knows as exactly as before what its client has. It names messages by their
// numbers in the log; what is in no log keeps its place, so that counts stay right. A session that moves
// to another node takes everything along, what is in no log included.

import type { LogPosition } from '../../lib/core/log-position.js'
import { type Carried, Carrying, envelopeIn } from './carried.js'
import type { Outbox } from './outbox.js'

export interface WrittenDown {
  readonly acknowledged: number
  /** Numbers of the stanzas that were written after that, 0 for what is in no log */
  readonly written: readonly number[]
  /** What comes after this number was not written. */
  readonly after: number
  /** Up to here the log was read for it: nothing older is on its way. */
  readonly read?: number
  /** Acknowledged of late: whoever reads the log from some time before it went leaves them out. */
  readonly had?: readonly number[]
  readonly luggage?: Luggage
}

/** Of a session that moves */
export interface Luggage {
  /** What waited to be written after that, in order */
  readonly waiting: readonly number[]
  readonly stanzas: readonly Carried[]
  /** Messages beyond `after` that it was given all the same */
  readonly had: readonly number[]
  /** How often its client ended its stream for the first of them */
  readonly rejections: number
  /** In the directory, of the node that let it go: the entry may outlive that. */
  readonly place?: string
}

/** Up to where everything in the log was shown to it, and what it was given beyond that */
export interface Shown {
  readonly after: number
  readonly had: readonly number[]
}

export interface Known {
  readonly acknowledged: number
  /** The newest message that it acknowledged */
  readonly newest: number
  readonly read: number
  /** How far it has come that is behind */
  readonly behind: number | undefined
  /** What it was given of late */
  readonly had: readonly number[]
  /** Whoever makes it again reads the log from no earlier than this. */
  readonly since: number
}

export function writeDown(outbox: Outbox, known: Known): WrittenDown {
  const { acknowledged, newest, read, behind, since } = known
  const written: number[] = []
  const waiting = new Set<number>()
  let lowest = Number.POSITIVE_INFINITY
  let highest = Math.max(newest, read)
  let place = 0
  for (const { logId } of outbox) {
    if (place++ < outbox.written) {
      written.push(logId)
      highest = Math.max(highest, logId)
    } else if (logId > 0) {
      waiting.add(logId)
      lowest = Math.min(lowest, logId)
    }
  }
  const after = Math.min(behind ?? highest, lowest - 1)
  const first = Math.min(after, Math.max(since, read))
  // It may have brought along what it has not been given yet.
  const had = known.had.filter((id) => id > first && !waiting.has(id))
  return { acknowledged, written, after, read, had }
}

/** What is left out of its place in the log is given as `shown`. */
export function packUp(
  outbox: Outbox,
  known: { acknowledged: number; shown: Shown; rejections: number; place: string },
): WrittenDown {
  const { acknowledged, shown, rejections, place } = known
  const all: number[] = []
  const carrying = new Carrying()
  for (const owed of outbox) {
    if (owed.logId === 0 && 'stanza' in owed) carrying.add(all.length, owed)
    all.push(owed.logId)
  }
  const written = all.slice(0, outbox.written)
  const waiting = all.slice(outbox.written)
  const { stanzas } = carrying
  const luggage = { waiting, stanzas, had: shown.had, rejections, place }
  return { acknowledged, written, after: shown.after, luggage }
}

export function readDown(text: string): WrittenDown | undefined {
  return text === '' ? undefined : (JSON.parse(text) as WrittenDown)
}

/** Into an empty queue, and beside it what the log is not to give once more. */
export function fill(
  outbox: Outbox,
  position: LogPosition,
  { written, luggage, had: acknowledged = [] }: WrittenDown,
): void {
  const { waiting = [], stanzas = [], had = [] } = luggage ?? {}
  const carried = new Map(stanzas.map((stanza) => [stanza[0], envelopeIn(stanza)]))
  for (const [place, logId] of [...written, ...waiting].entries()) {
    outbox.push(carried.get(place) ?? { logId, size: 0 })
    if (logId > 0) position.hadBefore(logId)
  }
  outbox.written = written.length
  for (const id of [...had, ...acknowledged]) position.hadBefore(id)
}
