// What happened in a run, as the clients saw it: one list of events in the order in which they
// happened, and the archives as they were read at the end. The checker knows nothing else.

/** Which report acknowledged: `<a/>`, `<resumed/>` or `<failed/>` (XEP-0198 §4, §5). */
export type Report = 'a' | 'resumed' | 'failed'

/** live: sent while this connection stood; late: sent before; archive: fetched by the client. */
export type Way = 'live' | 'late' | 'carbon' | 'archive'

export interface Sending {
  op: 'send'
  mid: string
  device: string
  /** Bare addresses */
  from: string
  to: string
  /** As it was addressed, where that is known */
  address?: string
  stream: string
  /** Of this stanza on its stream, counted as XEP-0198 §4 counts: the first is 1. */
  position: number
  /** counted: sent again because an exact count said that it was not handled; uncounted: without one. */
  again: false | 'counted' | 'uncounted'
  t: number
}

export interface Acknowledgement {
  op: 'ack'
  stream: string
  h: number
  by: Report
  /** Stanzas sent on the stream until then */
  sent: number
  t: number
}

export interface Refusal {
  op: 'err'
  mid: string
  condition: string
  t: number
}

export interface Reception {
  op: 'recv'
  mid: string
  device: string
  stream: string
  via: Way
  stanzaId: string | undefined
  /** How often what the device had on its node had ended when it came in */
  boot: number
  /** The content is what was sent. */
  sound: boolean
  t: number
}

export interface Entry {
  op: 'enter'
  device: string
  /** refused: `<failed h=…/>`; uncounted: `<failed/>` without the count; fresh: nothing was asked. */
  how: 'resumed' | 'refused' | 'uncounted' | 'fresh'
  /** The node where this device was last has ended since, and perhaps begun anew. */
  crashed: boolean
  /** Where it came in */
  node: number
  t: number
}

export interface Fault {
  op: 'fault'
  /** Messages sent and not acknowledged at that moment, over all devices */
  inFlight: number
  /** To which node, where it is one alone */
  node?: number
  /** Devices that it threw out */
  hit: readonly string[]
  t: number
}

/** What was broken is there again. */
export interface Healing {
  op: 'healed'
  /** Devices that it may have kept from being reached */
  hit: readonly string[]
  t: number
}

export type Event = Sending | Acknowledgement | Refusal | Reception | Entry | Fault | Healing

export interface Row {
  id: string
  mid: string
  /** Bare addresses */
  from: string
  to: string
  sound: boolean
}

export interface Device {
  name: string
  /** Bare address */
  owner: string
  /** Present and with nothing left to do at the end */
  settled: boolean
}

export interface History {
  events: readonly Event[]
  /** By owner's bare address, in the order of the archive */
  archives: ReadonlyMap<string, readonly Row[]>
  devices: readonly Device[]
}
