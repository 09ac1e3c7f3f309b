// The judge: everybody's logs and the archives in, figures out. What was acknowledged must be kept
// by both sides, once, in order, whole; what was refused must not; what was kept must have arrived.
// Invariant I8 (rooms) is not here: there are no rooms in the load yet.

import { checkArchives, type Kept } from './check-archives.js'
import { checkArrivals } from './check-arrivals.js'
import type { Entry, Event, History } from './chronicle.js'
import { type Fate, type Fates, fatesOf } from './fates.js'
import type { Figures } from './figures.js'
import { arrivalsDuring, returnsOf } from './returns.js'

export function check(history: History): Figures {
  const fates = fatesOf(history.events)
  const archives = checkArchives(history, fates)
  const arrivals = checkArrivals(history, fates, archives)
  const { kept, repeatedIds: _, ...rows } = archives
  return {
    ...sendings(fates),
    ...promises(fates, kept),
    ...rows,
    ...arrivals,
    phantom: rows.phantom + arrivals.phantom,
    wrongCounts: fates.wrongCounts,
    ...entries(history.events),
    unsettledDevices: history.devices.filter(({ settled }) => !settled).length,
    ...times(history.events, fates),
    ...returns(history.events),
  }
}

function sendings({ messages }: Fates) {
  const all = [...messages.values()]
  return {
    sent: all.length,
    sentAgain: all.reduce((sum, { sendings }) => sum + sendings - 1, 0),
    acknowledged: all.filter(({ acked }) => acked).length,
    refused: all.filter(({ refused }) => refused).length,
    unknown: all.filter(({ acked, refused }) => !acked && !refused).length,
  }
}

function promises({ messages }: Fates, kept: ReadonlyMap<string, Kept>) {
  const sum = { lost: 0, lostAtSender: 0, lostAtRecipient: 0 }
  const more = { falseSuccess: 0, countTooHigh: 0, countTooLow: 0 }
  for (const fate of messages.values()) {
    const atSender = kept.get(fate.from)?.place.has(fate.mid) === true
    const atRecipient = kept.get(fate.to)?.place.has(fate.mid) === true
    if (deceived(fate, atSender || atRecipient)) more.falseSuccess++
    if (fate.counted && [fate.from, fate.to].some((owner) => kept.get(owner)?.twice.has(fate.mid)))
      more.countTooLow++
    if (!fate.acked || fate.refused || (atSender && atRecipient)) continue
    sum.lost++
    if (!atSender) sum.lostAtSender++
    if (!atRecipient) sum.lostAtRecipient++
    if (fate.acked.by !== 'a') more.countTooHigh++
  }
  return { ...sum, ...more }
}

/** Refused, and kept all the same; or told that all was well before the refusal came. */
function deceived({ assured, refused }: Fate, isKept: boolean): boolean {
  if (!refused) return false
  return isKept || (assured !== undefined && assured.at < refused.at)
}

function entries(events: readonly Event[]) {
  const all = events.filter((event): event is Entry => event.op === 'enter')
  const count = (how: Entry['how'], crashed: boolean) =>
    all.filter((entry) => entry.how === how && entry.crashed === crashed).length
  return {
    resumed: count('resumed', true),
    refusedWithCount: count('refused', true),
    refusedWithoutCount: count('uncounted', true),
    resumedWithoutCrash: count('resumed', false),
    notResumedWithoutCrash: count('refused', false) + count('uncounted', false),
  }
}

function times(events: readonly Event[], { messages }: Fates) {
  const arrivals = new Map<string, number>()
  const moments: number[] = []
  let inFlight = 0
  for (const event of events) {
    if (event.op === 'recv' && !arrivals.has(event.mid)) arrivals.set(event.mid, event.t)
    else if (event.op === 'fault') {
      moments.push(event.t)
      inFlight += event.inFlight
    }
  }
  const all = [...messages.values()]
  const toAck = all.flatMap(({ acked, sentAt }) => (acked ? [acked.t - sentAt] : []))
  const toArrival = all.flatMap(({ mid, sentAt }) =>
    arrivals.has(mid) ? [arrivals.get(mid)! - sentAt] : [],
  )
  const outages = outagesOf(moments, all)
  return {
    faults: moments.length,
    inFlight,
    sendToAckP50: quantile(toAck, 0.5),
    sendToAckP99: quantile(toAck, 0.99),
    sendToArrivalP50: quantile(toArrival, 0.5),
    sendToArrivalP99: quantile(toArrival, 0.99),
    outageP50: quantile(outages, 0.5),
    outageMax: quantile(outages, 1),
  }
}

function returns(events: readonly Event[]) {
  const { back, reachable, notReached } = returnsOf(events)
  const during = arrivalsDuring(events)
  return {
    backP99: quantile([...back], 0.99),
    backMax: quantile([...back], 1),
    reachableP99: quantile([...reachable], 0.99),
    reachableMax: quantile([...reachable], 1),
    notReached,
    arrivalDuringP99: quantile(during, 0.99),
    arrivalDuringMax: quantile(during, 1),
  }
}

/** From each fault to the first acknowledgement of a message that was sent after it */
function outagesOf(moments: readonly number[], messages: readonly Fate[]): number[] {
  const outages: number[] = []
  let at = messages.length - 1
  let first = Number.POSITIVE_INFINITY
  for (const moment of moments.toReversed()) {
    for (; at >= 0 && messages[at]!.sentAt >= moment; at--)
      first = Math.min(first, messages[at]!.acked?.t ?? first)
    if (first < Number.POSITIVE_INFINITY) outages.push(first - moment)
  }
  return outages
}

function quantile(values: number[], share: number): number {
  values.sort((a, b) => a - b)
  const value = values[Math.min(values.length - 1, Math.floor(values.length * share))]
  return value === undefined ? 0 : Math.round(value * 10) / 10
}
