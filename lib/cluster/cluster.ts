// What makes several processes one server: how they reach each other, and who is where.

import type { Clock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Bus } from './bus.js'
import type { Directory } from './directory.js'

/** A node, in one of the lives that it has had: a new one with each start */
export interface Member {
  readonly node: string
  readonly life: string
}

/** Who takes part, this node included. */
export interface Members {
  readonly self: Member
  readonly size: number
  all(): readonly Member[]
  lifeOf(node: string): string | undefined
  /** The others can neither be told anything nor be heard. */
  readonly cutOff: boolean
  /** For so many milliseconds it is not certain that everything has come that the others said. */
  readonly silence: number
  /** False for a while after Redis was away or emptied: who is not known then may well be there. */
  readonly sure: boolean
  /** Says that this node is there, and learns who else is. Rejects where the others cannot be reached. */
  say(): Promise<void>
  /** A life has ended, or nobody has heard of it for long; whether it said so. */
  onGone(run: (member: Member, said: boolean) => void): void
}

/** Somebody who wants to take part */
export interface Joining extends Member {
  readonly clock: Clock
  readonly log: Log
  /** The same for all nodes, and known to nobody else */
  secret(): Promise<Buffer>
}

export interface Neighbourhood {
  readonly members: Members
  readonly bus: Bus
  readonly directory: Directory
}

export interface Cluster {
  join(joining: Joining): Promise<Neighbourhood>
}
