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
  /** How many connections are being set up at once. */
  concurrency: number
}

export type Plan =
  | { kind: 'register'; users: number }
  | {
      kind: 'chat'
      users: number
      inFlight: number
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

export type Job = {
  target: Target
  login: Login
  plan: Plan
  /** Process ids of the server; their descendants count as well. */
  server: number[]
}

export type Outcome = {
  /** Connections that could not be set up or were lost, and messages that came back as errors. */
  failed: number
  /** Of one core: how busy the generator itself was. Near 1 it is the limit, not the server. */
  generatorCores?: number
  figures: Record<string, number>
  /** Why there are no figures. */
  error?: string
}
