// The rows about several nodes: what Redis is asked for a message and for a login, with two, four and eight
// nodes; what a message costs where it crosses from one to another; very many sessions; and what others
// notice when thousands come back at once.
import type { Plan } from './job.js'
import { type ChatPlan, type Figure, plain, type Size, type Work } from './work.js'

const COMMANDS: Figure = { key: 'redis', title: 'Redis', unit: 'commands', digits: 2 }
/** Heartbeats come whether anybody logs in or not. */
const LOGIN: Figure = { ...COMMANDS, key: 'redisWithout' }
const LATENCY: Figure = { key: 'p99', title: 'p99', unit: 'ms', digits: 1 }

const MESSAGES_A_SECOND = 100
const LOADED = 1000
/** First directory reads and heartbeats are in it, so it has to last a while. */
const LASTING = 5
const CONTACTS = 50
const MAX_TIMES = 1.6

const kept = { ...plain, archive: true, store: 'postgres', modern: true, alone: true } as const
const thousands = (value: number) => value.toLocaleString('en')

export function cluster(chat: ChatPlan, size: Size): Work[] {
  return [...size.nodes.flatMap((nodes) => asking(chat, size, nodes)), ...crossing(chat, size)]
}

function asking(chat: ChatPlan, { seconds, loginUsers }: Size, nodes: number): Work[] {
  const each = { ...kept, family: 'cluster', figure: COMMANDS, nodes } as const
  const timing = { warmUpSeconds: 0, seconds: seconds * LASTING }
  const talk = {
    ...each,
    plan: chat({ rate: MESSAGES_A_SECOND, askEvery: 1, kept: true, ...timing }),
  }
  const login: Plan = { kind: 'login', users: loginUsers, rounds: 3 }
  const enter = {
    ...each,
    figure: LOGIN,
    modern: false,
    mechanism: 'SCRAM-SHA-1',
    plan: login,
  } as const
  const title = `${nodes} nodes`
  return [
    { ...talk, title: `${title}, message between two of them`, apart: true, goal: 1.2 },
    { ...talk, title: `${title}, message within one of them`, goal: '0 but for heartbeats' },
    { ...enter, title: `${title}, login, empty roster`, goal: 3 },
    { ...enter, title: `${title}, login, ${CONTACTS} contacts`, contacts: CONTACTS },
  ]
}

/** The same work and the same PostgreSQL; all processes count. */
function crossing(chat: ChatPlan, { seconds }: Size): Work[] {
  const rows = (load: string, plan: Plan): Work[] => {
    const each = { ...kept, family: 'cluster', plan } as const
    const one = `one node, PostgreSQL, ${load}`
    const goal = `≤ ${MAX_TIMES} times one node`
    return [
      { ...each, title: one, nodes: 1 },
      { ...each, title: `2 nodes, across, ${load}`, nodes: 2, apart: true, against: one, goal },
      { ...each, title: `2 nodes, within one, ${load}`, nodes: 2, against: one },
    ]
  }
  const acknowledged = { askEvery: 1, kept: true }
  const open = { ...acknowledged, rate: LOADED, seconds: seconds * 2 }
  return [
    ...rows('4 in flight', chat({ ...acknowledged, inFlight: 4 })),
    ...rows(`${thousands(LOADED)}/s`, chat(open)),
  ]
}

const WORKERS = 3
const GENERATORS = 3
const FEW_CONTACTS = 4

export function multitudes(size: Size): Work[] {
  const { bodyBytes, seconds, warmUpSeconds, settleSeconds } = size
  const users = even(size.manySessions)
  const plan: Plan = {
    ...{ kind: 'crowd', users, first: 0, generators: GENERATORS, settleSeconds, bodyBytes },
    ...{ rate: Math.max(2, users / 100), presences: Math.max(1, users / 500) },
    ...{ warmUpSeconds, seconds: seconds * 3 },
  }
  const title = `${thousands(users)} sessions, ${WORKERS} workers`
  const each = { ...kept, family: 'sessions', figure: LATENCY, fresh: true, goal: 200 } as const
  return [{ ...each, title, modern: false, workers: WORKERS, contacts: FEW_CONTACTS, plan }]
}

export function storms({ stormSessions, bodyBytes }: Size): Work[] {
  const users = even(stormSessions)
  const title = `${thousands(users)} sessions come back over TLS`
  const row = (more: Partial<Work>, elsewhere = false): Work => ({
    ...{ ...kept, family: 'storm', figure: LATENCY, transport: 'tls', fresh: true, goal: 500 },
    ...{ title, plan: { ...plan, elsewhere } },
    ...more,
  })
  const plan: Storm = {
    ...{ kind: 'storm', users, first: 0, others: 200, overSeconds: 8, elsewhere: false },
    ...{ bodyBytes, rate: 100 },
  }
  return [
    row({ title: `${title}, one node`, nodes: 1 }),
    row({ title: `${title}, one node, tokens`, nodes: 1, quick: true }),
    row({ title: `${title}, ${WORKERS} nodes`, nodes: WORKERS, apart: true }),
    row({ title: `${title}, to another of ${WORKERS} nodes`, nodes: WORKERS, apart: true }, true),
  ]
}

type Storm = Extract<Plan, { kind: 'storm' }>

const even = (value: number) => value - (value % 2)
