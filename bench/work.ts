// What a row of the comparison is: the family that `--work` names, the setting of the server, the
// plan, the figure that counts and its goal.
import type { Transport } from './generator/connection.js'
import type { Plan } from './job.js'
import type { Store } from './peers/peer.js'

export const FAMILIES = [
  ...(['chat', 'archived', 'postgres', 'latency', 'tls', 'open'] as const),
  ...(['idle', 'login', 'pages', 'search', 'memory'] as const),
  ...(['cluster', 'sessions', 'storm'] as const),
  ...(['rooms', 'large-rooms', 'room-joins', 'hot-room'] as const),
] as const
export type Family = (typeof FAMILIES)[number]

/** The figure that counts in a row; a number as its goal is an upper bound. */
export type Figure = { key: string; title: string; unit: string; digits: number }

export type Work = {
  family: Family
  title: string
  archive: boolean
  /** Where the archive is; the server's own choice unless given. */
  store?: Store
  /** Accounts that exist, where that is more than the plan's users. */
  accounts?: number
  /** So many messages are in the first account's archive before (generator/corpus.ts). */
  filled?: number
  /** So many nodes over one PostgreSQL, and one Redis where they are several. */
  nodes?: number
  /** So many workers of one node's program, which share its ports. */
  workers?: number
  /** The two of a pair are on different nodes. */
  apart?: boolean
  /** There are rooms. */
  rooms?: boolean
  /** Everybody's roster has so many of the others. */
  contacts?: number
  transport: Transport
  /** Stream management and carbons on, as modern clients have it. */
  modern: boolean
  /** SASL2 and tokens */
  quick?: boolean
  plan: Plan
  figure: Figure
  goal?: number | string
  /** The title of the row whose figure this one's is so many times. */
  against?: string
  /** Compared with another row of ours, not with anybody else. */
  alone?: boolean
  /** A short run of its own, under strace, counts how often the server made the disk write. */
  counted?: boolean
  /** The rate is half of what a closed loop reaches before. */
  halved?: boolean
  /** Memory is compared from a fresh start. */
  fresh?: boolean
  /** Logins measure the mechanism that clients prefer; everything else just wants to be in. */
  mechanism?: 'SCRAM-SHA-1' | 'SCRAM-SHA-256' | 'PLAIN'
}

export type Size = {
  users: number
  bodyBytes: number
  seconds: number
  warmUpSeconds: number
  idleUsers: number
  settleSeconds: number
  loginUsers: number
  /** Messages a second in the open loops, where given. */
  rate?: number
  manyAccounts: number
  /** How many connections the generator and the servers can hold. */
  sockets: number
  archiveMessages: number
  /** Archives ten times as long as well. */
  big?: boolean
  queries: number
  readers: number
  readerMessages: number
  /** Of the rows about a cluster. */
  nodes: number[]
  /** Sessions in the rows about many, and about those that all come back at once. */
  manySessions: number
  stormSessions: number
}

const CPU: Figure = { key: 'cpuMicros', title: 'CPU', unit: 'µs', digits: 1 }

export type Chat = Partial<Extract<Plan, { kind: 'chat' }>>

/** A chat plan of the chosen size, but for what is given. */
export type ChatPlan = (more?: Chat) => Plan

export const plain = { archive: false, transport: 'tcp', modern: false, figure: CPU } as const
