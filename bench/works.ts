// The rows of the comparison: what is done, with which setting of the server, what is reported
// and what Tercet has to reach. A new scenario (rooms, archive pages) is a plan in job.ts, a file
// in generator/ and rows here.
import type { Transport } from './generator/connection.js'
import type { Plan } from './job.js'

export const FAMILIES = ['chat', 'archived', 'tls', 'open', 'idle', 'login'] as const
export type Family = (typeof FAMILIES)[number]

/** The figure that counts in a row; its goal is an upper bound. */
export type Figure = { key: string; title: string; unit: string; digits: number }

export type Work = {
  family: Family
  title: string
  archive: boolean
  transport: Transport
  /** Stream management and carbons on, as modern clients have it. */
  modern: boolean
  plan: Plan
  figure: Figure
  goal?: number
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
  rate: number
}

const CPU: Figure = { key: 'cpuMicros', title: 'CPU', unit: 'µs', digits: 1 }
const WEIGHT: Figure = { key: 'kbPerSession', title: 'memory', unit: 'KB', digits: 1 }
const LOGIN: Figure = { key: 'cpuMsPerLogin', title: 'CPU', unit: 'ms', digits: 2 }

type Chat = Partial<Extract<Plan, { kind: 'chat' }>>
const plain = { archive: false, transport: 'tcp', modern: false, figure: CPU } as const

export function works(size: Size): Work[] {
  const { bodyBytes, seconds, warmUpSeconds } = size
  const users = size.users + (size.users % 2)
  const rest = {
    users,
    bodyBytes,
    seconds,
    warmUpSeconds,
    rate: 0,
    askEvery: 0,
    inFlight: 1,
    kept: false,
  }
  const chat = (more: Chat = {}): Plan => ({ ...rest, ...more, kind: 'chat' })
  return [
    { ...plain, family: 'chat', title: '1:1, 1 in flight', plan: chat(), goal: 12 },
    { ...plain, family: 'chat', title: '1:1, 4 in flight', plan: chat({ inFlight: 4 }), goal: 8 },
    ...archived(chat),
    ...encrypted(chat),
    {
      ...plain,
      family: 'open',
      title: `1:1, open loop, ${size.rate}/s`,
      plan: chat({ rate: size.rate }),
    },
    ...sessions(size),
  ]
}

type ChatPlan = (more?: Chat) => Plan

function archived(chat: ChatPlan): Work[] {
  const kept = { ...plain, family: 'archived', archive: true } as const
  return [
    { ...kept, title: '1:1, archived, 1 in flight', plan: chat({ kept: true }), goal: 25 },
    {
      ...kept,
      title: '1:1, archived, 4 in flight',
      plan: chat({ inFlight: 4, kept: true }),
      goal: 25,
    },
    {
      ...kept,
      title: '1:1, archived, SM + acks + carbons',
      modern: true,
      plan: chat({ inFlight: 4, askEvery: 1, kept: true }),
      goal: 35,
    },
  ]
}

function encrypted(chat: ChatPlan): Work[] {
  const tls = { ...plain, family: 'tls', transport: 'tls' } as const
  return [
    { ...tls, title: '1:1, TLS', plan: chat(), goal: 18 },
    { ...tls, title: '1:1, TLS, SM + carbons', modern: true, plan: chat(), goal: 30 },
    { ...tls, title: '1:1, WebSocket', transport: 'websocket', plan: chat() },
  ]
}

function sessions({ idleUsers, settleSeconds, loginUsers }: Size): Work[] {
  const idle: Plan = { kind: 'idle', users: idleUsers, steps: 4, settleSeconds }
  const weigh = { ...plain, family: 'idle', figure: WEIGHT, fresh: true, plan: idle } as const
  const login: Plan = { kind: 'login', users: loginUsers, rounds: 3 }
  const enter = { ...plain, family: 'login', figure: LOGIN, plan: login } as const
  return [
    { ...weigh, title: 'idle session, clear', goal: 12 },
    { ...weigh, title: 'idle session, TLS', transport: 'tls', goal: 40 },
    { ...enter, title: 'login, SCRAM-SHA-1', mechanism: 'SCRAM-SHA-1', goal: 0.5 },
    { ...enter, title: 'login, PLAIN', mechanism: 'PLAIN' },
  ]
}
