// The rows about rooms: what a delivery costs with a hundred occupants and with a thousand, what entering a
// large room costs, and what everybody else notices in a hot room where some have stopped reading.
import type { Plan } from './job.js'
import { type Figure, plain, type Size, type Work } from './work.js'

const JOIN: Figure = { key: 'cpuMsPerJoin', title: 'CPU', unit: 'ms', digits: 2 }
const LATENCY: Figure = { key: 'p99', title: 'p99', unit: 'ms', digits: 1 }

const OCCUPANTS = 100
const MANY = 1000
const GOAL = 6
const GOAL_KEPT = 7
const MAX_TIMES = 1.2
const JOINS = 50
/** Longer than what the kernel keeps for somebody who does not read */
const HOT = { users: 500, rate: 50, stalled: 20, bodyBytes: 2000, seconds: 60 }

const thousands = (value: number) => value.toLocaleString('en')

type Talk = Extract<Plan, { kind: 'room' }>

export function rooms(size: Size): Work[] {
  const { bodyBytes, seconds, warmUpSeconds } = size
  const talk = (users: number, more: Partial<Talk> = {}): Talk => ({
    ...{ kind: 'room', users, bodyBytes, inFlight: 1, rate: 0, stalled: 0, kept: false },
    ...{ seconds, warmUpSeconds },
    ...more,
  })
  return [...ordinary(talk), ...large(talk), ...joins(), ...hot(size, talk)]
}

type TalkPlan = (users: number, more?: Partial<Talk>) => Talk

function ordinary(talk: TalkPlan): Work[] {
  const each = { ...plain, family: 'rooms', rooms: true, goal: GOAL } as const
  const kept = { ...each, archive: true, store: 'sqlite', goal: GOAL_KEPT } as const
  const title = `room of ${OCCUPANTS}`
  const four = { inFlight: 4 }
  return [
    { ...each, title: `${title}, 1 in flight`, plan: talk(OCCUPANTS) },
    { ...each, title: `${title}, 4 in flight`, plan: talk(OCCUPANTS, four) },
    { ...each, title: `${title}, SM, 1 in flight`, modern: true, plan: talk(OCCUPANTS) },
    { ...kept, title: `${title}, archived, 1 in flight`, plan: talk(OCCUPANTS, { kept: true }) },
    {
      ...kept,
      title: `${title}, archived, 4 in flight`,
      plan: talk(OCCUPANTS, { ...four, kept: true }),
    },
    {
      ...kept,
      title: `${title}, archived, SM, 1 in flight`,
      modern: true,
      plan: talk(OCCUPANTS, { kept: true }),
    },
  ]
}

function large(talk: TalkPlan): Work[] {
  const goal = `≤ ${MAX_TIMES} times the room of ${OCCUPANTS}`
  const each = { ...plain, family: 'large-rooms', rooms: true, fresh: true, goal } as const
  const title = `room of ${thousands(MANY)}`
  const row = (how: string, more: Partial<Work>, kept = false): Work => ({
    ...{ ...each, title: `${title}${how}`, plan: talk(MANY, { kept }), ...more },
    against: `room of ${OCCUPANTS}${how}`,
  })
  return [
    row(', 1 in flight', {}),
    row(', archived, 1 in flight', { archive: true, store: 'sqlite' }, true),
  ]
}

function joins(): Work[] {
  const plan: Plan = { kind: 'room-joins', users: MANY + JOINS, occupants: MANY }
  const each = { ...plain, family: 'room-joins', rooms: true, fresh: true, figure: JOIN } as const
  return [
    { ...each, title: `entering a room of ${thousands(MANY)}`, plan, goal: '≥ 4 times Prosody' },
  ]
}

function hot({ warmUpSeconds }: Size, talk: TalkPlan): Work[] {
  const { users, ...rest } = HOT
  const title = `hot room of ${users}, ${HOT.rate}/s, ${HOT.stalled} do not read`
  const plan = talk(users, { ...rest, warmUpSeconds, kept: true })
  const row = { ...plain, family: 'hot-room', rooms: true, archive: true, fresh: true } as const
  const each = { ...row, store: 'sqlite', figure: LATENCY, goal: 500, plan } as const
  return [
    { ...each, title },
    { ...each, title: `${title}, SM`, modern: true },
  ]
}
