// The rows of the comparison; those about archives are in archive-works.ts, about several nodes in
// cluster-works.ts, about rooms in room-works.ts. A new scenario is a plan in job.ts, a file in generator/
// and rows here.
import {
  among,
  archived,
  crowded,
  latency,
  memory,
  pages,
  postgres,
  search,
} from './archive-works.js'
import { cluster, multitudes, storms } from './cluster-works.js'
import type { Plan } from './job.js'
import { rooms } from './room-works.js'
import { type Chat, type ChatPlan, type Figure, plain, type Size, type Work } from './work.js'

const WEIGHT: Figure = { key: 'kbPerSession', title: 'memory', unit: 'KB', digits: 1 }
const LOGIN: Figure = { key: 'cpuMsPerLogin', title: 'CPU', unit: 'ms', digits: 2 }

const OPEN_RATE = 2000

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
    writers: 0,
    kept: false,
  }
  const chat = (more: Chat = {}): Plan => ({ ...rest, ...more, kind: 'chat' })
  return [
    { ...plain, family: 'chat', title: '1:1, 1 in flight', plan: chat(), goal: 12 },
    { ...plain, family: 'chat', title: '1:1, 4 in flight', plan: chat({ inFlight: 4 }), goal: 8 },
    {
      ...{ ...plain, family: 'chat', title: `1:1, 1 in flight, ${crowded(size)}` },
      ...{ accounts: size.manyAccounts, plan: chat(among(size)), against: '1:1, 1 in flight' },
    },
    ...archived(chat, { ...size, users }),
    ...postgres(chat),
    ...latency(chat, size),
    ...encrypted(chat),
    {
      ...plain,
      family: 'open',
      title: `1:1, open loop, ${size.rate ?? OPEN_RATE}/s`,
      plan: chat({ rate: size.rate ?? OPEN_RATE }),
    },
    ...sessions(size),
    ...pages(size),
    ...search(size),
    ...memory(size),
    ...cluster(chat, size),
    ...multitudes(size),
    ...storms(size),
    ...rooms(size),
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
