// How long it took until those whom a fault threw out were back, on whatever node, and reached by a
// message that was written after it; and how long messages took that were under way between a fault and
// its end.

import type { Event } from './chronicle.js'

export interface Returns {
  /** Milliseconds from a fault to the next entry of each device that it threw out */
  readonly back: readonly number[]
  /** The same to the first message on its stream that was sent after the fault, or after the healing */
  readonly reachable: readonly number[]
  /** Devices that were still not reached at the end */
  readonly notReached: number
}

interface Waiting {
  readonly since: number
  back: boolean
}

export function returnsOf(events: readonly Event[]): Returns {
  const reader = new ReturnsReader()
  for (const event of events) reader.read(event)
  return { back: reader.back, reachable: reader.reachable, notReached: reader.waiting.size }
}

class ReturnsReader {
  readonly back: number[] = []
  readonly reachable: number[] = []
  /** By device; who is hit again while it waits begins anew. */
  readonly waiting = new Map<string, Waiting>()
  readonly #sentAt = new Map<string, number>()

  read(event: Event): void {
    if (event.op === 'send') {
      if (!event.again) this.#sentAt.set(event.mid, event.t)
    } else if (event.op === 'fault' || event.op === 'healed') {
      const thrownOut = event.op === 'fault'
      for (const name of event.hit) this.waiting.set(name, { since: event.t, back: !thrownOut })
    } else if (event.op === 'enter') this.#enters(event.device, event.t)
    else if (event.op === 'recv' && event.via !== 'archive') {
      this.#receives(event.device, this.#sentAt.get(event.mid) ?? 0, event.t)
    }
  }

  #enters(device: string, t: number): void {
    const waiting = this.waiting.get(device)
    if (!waiting || waiting.back) return
    waiting.back = true
    this.back.push(t - waiting.since)
  }

  #receives(device: string, sentAt: number, t: number): void {
    const waiting = this.waiting.get(device)
    if (!waiting || sentAt < waiting.since) return
    this.waiting.delete(device)
    this.reachable.push(t - waiting.since)
  }
}

/** Of each message that was sent or under way between a fault and its end; without the faults that have none. */
export function arrivalsDuring(events: readonly Event[]): number[] {
  const spans = spansOf(events)
  const sentAt = new Map<string, number>()
  const arrived = new Set<string>()
  const took: number[] = []
  for (const event of events) {
    if (event.op === 'send' && !event.again) sentAt.set(event.mid, event.t)
    if (event.op !== 'recv' || arrived.has(event.mid)) continue
    arrived.add(event.mid)
    const sent = sentAt.get(event.mid) ?? event.t
    if (spans.some(({ from, to }) => sent <= to && event.t >= from)) took.push(event.t - sent)
  }
  return took
}

function spansOf(events: readonly Event[]): { from: number; to: number }[] {
  const spans: { from: number; to: number }[] = []
  let from: number | undefined
  for (const { op, t } of events) {
    if (op === 'fault') from ??= t
    if (op !== 'healed' || from === undefined) continue
    spans.push({ from, to: t })
    from = undefined
  }
  return spans
}
