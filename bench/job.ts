// What the generator is asked to do and what it answers. A job travels as one JSON argument, its
// result as one JSON line, so that any server can be measured by hand as well.
import type { Target } from './generator/connection.js'
import type { Mechanism } from './generator/scram.js'

export type Login = {
  /** Accounts are PREFIX0, PREFIX1, ... and all have this password. */
  prefix: string
  password: string
  mechanism: Mechanism
  /** Enables stream management and carbons, as a modern client does. */
  modern: boolean
  /** In as few steps as can be: SASL2, and tokens for the next time (quick-login.ts). */
  quick?: boolean
  /** How many connections are being set up at once. */
  concurrency: number
}

export type Plan =
  | { kind: 'register'; users: number }
  | {
      kind: 'chat'
      users: number
      inFlight: number
      /** How many of them write at a time, chosen anew for each message; 0 is all. */
      writers: number
      bodyBytes: number
      /** Messages a second in all, at random moments; 0 is a closed loop. */
      rate: number
      /** Ask for an acknowledgement after every so many messages; 0 never asks. */
      askEvery: number
      /** The archive must have messages afterwards. */
      kept: boolean
      warmUpSeconds: number
      seconds: number
    }
  | { kind: 'idle'; users: number; steps: number; settleSeconds: number }
  | { kind: 'login'; users: number; rounds: number }
  | {
      kind: 'pages'
      users: number
      /** The archive of the first account holds so many messages (corpus.ts). */
      messages: number
      walk: Walk
      /** Queries that are under way at the same time, in one session. */
      inFlight: number
      warmUpSeconds: number
      seconds: number
    }
  | { kind: 'search'; users: number; messages: number; words: Frequency; queries: number }
  | {
      /** Of several generators, each with its share of the sessions. */
      kind: 'crowd'
      users: number
      /** The first account's number. */
      first: number
      generators: number
      settleSeconds: number
      bodyBytes: number
      /** Messages, and changes of presence, a second in all. */
      rate: number
      presences: number
      warmUpSeconds: number
      seconds: number
    }
  | {
      /** All are cut off at once and come back, while others chat. */
      kind: 'storm'
      users: number
      first: number
      others: number
      /** They begin to come back at random moments in so many seconds. */
      overSeconds: number
      /** Not at the node where they were. */
      elsewhere: boolean
      bodyBytes: number
      /** Of the others: messages a second. */
      rate: number
    }
  | {
      /** All are in one room, and what one says everybody hears. */
      kind: 'room'
      users: number
      inFlight: number
      bodyBytes: number
      /** Messages a second, at random moments; 0 is a closed loop. */
      rate: number
      /** So many stop reading when it begins. */
      stalled: number
      /** The room keeps what is said. */
      kept: boolean
      warmUpSeconds: number
      seconds: number
    }
  | {
      kind: 'room-joins'
      users: number
      /** Those of them who are in before the others come. */
      occupants: number
    }
  | {
      kind: 'readers'
      users: number
      /** For each reader, while it does not read. */
      messages: number
      bodyBytes: number
      /** Where a watched server tells its memory after a collection (collector.ts). */
      memory?: string
    }

/** The last page; page after page from some moment on; the last page with one contact. */
export type Walk = 'last' | 'after' | 'with'

/** In some twenty messages of the archive; in one of some hundreds; in one of ten or more. */
export type Frequency = 'rare' | 'medium' | 'common'

/** Where a server has its rooms, and what one is to be beyond what the server makes it. */
export type RoomPlace = { service: string; form: Readonly<Record<string, string>> }

export type Job = {
  target: Target
  login: Login
  plan: Plan
  /** Process ids of the server; their descendants count as well. */
  server: number[]
  /** Of these, by program, where they are several */
  parts?: Record<string, number[]>
  /** The Redis whose commands are counted. */
  redis?: string
  room?: RoomPlace
}

export type Outcome = {
  /** Connections that could not be set up or were lost, and messages that came back as errors. */
  failed: number
  /** Of one core: how busy the generator itself was. Near 1 it is the limit, not the server. */
  generatorCores?: number
  figures: Record<string, number>
  /** When the measured part began and ended, in milliseconds since 1970. */
  span?: { began: number; ended: number }
  /** Why there are no figures. */
  error?: string
}
