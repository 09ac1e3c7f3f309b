// What became of each message from its sender's point of view: in which order it was sent, whether
// it was acknowledged (by which report) or refused, and in which order those two came.

import type { Acknowledgement, Event, Report, Sending } from './chronicle.js'

export interface Fate {
  readonly mid: string
  readonly device: string
  readonly from: string
  readonly to: string
  /** Counts all messages of the run: within one device it is the order of first sending. */
  readonly order: number
  readonly sentAt: number
  sendings: number
  /** It was sent again because an exact count excluded it. */
  counted: boolean
  acked?: { by: Report; at: number; t: number }
  refused?: { at: number }
  /**
   * Acknowledged where its refusal would have come before: a resumption comes before everything that waits for
   * it, refusals included (XEP-0198 §5).
   */
  assured?: { at: number }
}

interface Stream {
  readonly mids: (string | undefined)[]
  acked: number
  assured: number
}

export interface Fates {
  readonly messages: ReadonlyMap<string, Fate>
  /** Reports of a count below an earlier one or above what was sent (XEP-0198 §4) */
  readonly wrongCounts: number
}

export function fatesOf(events: readonly Event[]): Fates {
  const reader = new FateReader()
  events.forEach((event, at) => {
    if (event.op === 'send') reader.send(event)
    else if (event.op === 'ack') reader.acknowledge(event, at)
    else if (event.op === 'err') reader.refuse(event.mid, at)
  })
  return reader
}

class FateReader implements Fates {
  readonly messages = new Map<string, Fate>()
  wrongCounts = 0
  readonly #streams = new Map<string, Stream>()

  send(event: Sending): void {
    const { mid, device, from, to, t } = event
    const order = this.messages.size
    const known = this.messages.get(mid)
    const fate = known ?? { mid, device, from, to, order, sentAt: t, sendings: 0, counted: false }
    fate.sendings++
    if (event.again === 'counted') fate.counted = true
    this.messages.set(mid, fate)
    this.#stream(event.stream).mids[event.position] = mid
  }

  acknowledge(event: Acknowledgement, at: number): void {
    const stream = this.#stream(event.stream)
    if (event.h < stream.acked || event.h > event.sent) this.wrongCounts++
    for (let position = stream.acked + 1; position <= event.h; position++) {
      const fate = this.messages.get(stream.mids[position] ?? '')
      if (fate) fate.acked ??= { by: event.by, at, t: event.t }
      if (position > event.sent) break
    }
    stream.acked = Math.max(stream.acked, event.h)
    if (event.by !== 'resumed') this.#assure(stream, at)
  }

  #assure(stream: Stream, at: number): void {
    while (stream.assured < Math.min(stream.acked, stream.mids.length)) {
      const fate = this.messages.get(stream.mids[++stream.assured] ?? '')
      if (fate) fate.assured ??= { at }
    }
  }

  refuse(mid: string, at: number): void {
    const fate = this.messages.get(mid)
    if (fate) fate.refused ??= { at }
  }

  #stream(name: string): Stream {
    const known = this.#streams.get(name)
    if (known) return known
    const stream = { mids: [], acked: 0, assured: 0 }
    this.#streams.set(name, stream)
    return stream
  }
}
