// The figures of a run and which of them must be zero.

export interface Figures {
  sent: number
  sentAgain: number
  acknowledged: number
  refused: number
  /** Neither acknowledged nor refused when the run ended */
  unknown: number
  /** Sent and not acknowledged at the moments of the faults, summed up */
  inFlight: number
  faults: number

  lost: number
  lostAtSender: number
  lostAtRecipient: number
  falseSuccess: number
  neverArrived: number
  arrivedByArchiveOnly: number
  duplicatedRaw: number
  duplicatedWithoutCrash: number
  duplicatedAfterDedupe: number
  twiceInArchive: number
  reorderedInArchive: number
  reorderedLive: number
  unlikeArchive: number
  phantom: number
  strangeIds: number

  wrongCounts: number
  countTooHigh: number
  countTooLow: number

  resumed: number
  refusedWithCount: number
  refusedWithoutCount: number
  resumedWithoutCrash: number
  notResumedWithoutCrash: number
  unsettledDevices: number

  sendToAckP50: number
  sendToAckP99: number
  sendToArrivalP50: number
  sendToArrivalP99: number
  outageP50: number
  outageMax: number

  /** Milliseconds until those whom faults threw out were there again, and reached by a new message */
  backP99: number
  backMax: number
  reachableP99: number
  reachableMax: number
  notReached: number
  /** Of messages that were under way between a fault and its end */
  arrivalDuringP99: number
  arrivalDuringMax: number
}

export type FigureName = keyof Figures

/** Invariants of the promise; each with what it says. */
export const mustBeZero: Partial<Record<FigureName, string>> = {
  lost: 'acknowledged, and missing in the archive of the sender or the recipient (I1)',
  falseSuccess: 'refused and kept all the same, or acknowledged first and refused later (I11)',
  neverArrived: 'a device of the recipient that is online never got it, in whatever way (I9)',
  duplicatedWithoutCrash: 'twice on one stream while the server ran on (I10)',
  duplicatedAfterDedupe: 'a device saw it under more than one stanza-id (I3, I10)',
  twiceInArchive: 'more than one row in one archive (I3)',
  reorderedInArchive: 'order of a device to one recipient, in an archive (I6)',
  reorderedLive: 'order of a device to one recipient, on a stream, after dedupe (I6, I7)',
  unlikeArchive: 'order on a stream differs from the order in the archive, after dedupe (I7)',
  phantom: 'never sent, sent by somebody else, to somebody else, or altered (I2)',
  strangeIds:
    'a stanza-id that the archive does not have, has for another message, or has twice (I4)',
  wrongCounts: 'h below an earlier one or above what was sent (I12)',
  countTooHigh: 'h of <resumed/> or <failed/> covers a message that is lost (I12)',
  countTooLow: 'h of <resumed/> or <failed/> leaves out a message that was kept: twice there (I12)',
  refusedWithoutCount: 'resumption refused without h',
  notResumedWithoutCrash: 'resumption refused although the server ran on',
  notReached: 'devices that no message reached after a fault',
  unsettledDevices: 'devices that did not come back, catch up and get everything acknowledged',
}

/** What has a bound in milliseconds where there are several nodes (G7, G8) */
export const boundsOfNodes = {
  reachableMax: { limit: 15_000, says: 'from a fault until a device was reached by a new message' },
  arrivalDuringP99: { limit: 3000, says: 'from sending to arrival while a node is drained' },
} as const

export const brokenInvariants = (figures: Figures): FigureName[] =>
  (Object.keys(mustBeZero) as FigureName[]).filter((name) => figures[name] !== 0)
