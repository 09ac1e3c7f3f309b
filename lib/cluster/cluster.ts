// What makes several processes one server: how they reach each other, and who is where.

import type { Clock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Bus } from './bus.js'
import type { Directory } from './directory.js'

/** Somebody who wants to take part */
export interface Joining {
  readonly node: string
  /** A new one with each start */
  readonly life: string
  readonly clock: Clock
  readonly log: Log
  /** The same for all nodes, and known to nobody else */
  secret(): Promise<Buffer>
}

export interface Neighbourhood {
  readonly bus: Bus
  readonly directory: Directory
}

export interface Cluster {
  join(joining: Joining): Promise<Neighbourhood>
}
