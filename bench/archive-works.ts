// The rows about archived messages: one to one on the embedded store, on SQLite and on PostgreSQL,
// with 200 and with many accounts; latency at half of what a server can carry; pages, searches; and
// readers that stop reading.
import type { Frequency, Plan, Walk } from './job.js'
import type { Store } from './peers/peer.js'
import { type ChatPlan, type Figure, plain, type Size, type Work } from './work.js'

const LATENCY: Figure = { key: 'p99', title: 'p99', unit: 'ms', digits: 1 }
const PAGE: Figure = { key: 'cpuMicrosPerPage', title: 'CPU', unit: 'µs', digits: 0 }
const SEARCH: Figure = { key: 'p95', title: 'p95', unit: 'ms', digits: 1 }
const GROWTH: Figure = { key: 'residentMb', title: 'memory', unit: 'MiB', digits: 1 }

const thousands = (value: number) => value.toLocaleString('en')
const kept = { ...plain, archive: true } as const

export function archived(chat: ChatPlan, size: Size): Work[] {
  const each = { ...kept, family: 'archived', counted: true } as const
  const title = '1:1, archived'
  const modern = { inFlight: 4, askEvery: 1, kept: true }
  const spread = { ...among(size), kept: true }
  const many = { ...each, accounts: size.manyAccounts } as const
  const crowd = crowded(size)
  return [
    { ...each, title: `${title}, 1 in flight`, plan: chat({ kept: true }), goal: 25 },
    { ...each, title: `${title}, 4 in flight`, plan: chat({ inFlight: 4, kept: true }), goal: 25 },
    {
      ...each,
      title: `${title}, SM + acks + carbons`,
      modern: true,
      plan: chat(modern),
      goal: 35,
    },
    { ...many, title: `${title}, 1 in flight, ${crowd}`, plan: chat(spread), goal: 37.5 },
    {
      ...many,
      title: `${title}, SM + acks + carbons, ${crowd}`,
      modern: true,
      plan: chat({ ...spread, ...modern }),
      goal: 52.5,
    },
    {
      ...each,
      title: `${title} in SQLite, 1 in flight`,
      store: 'sqlite',
      plan: chat({ kept: true }),
      goal: 25,
    },
  ]
}

/** As many write as in the other rows, but now one and now another of very many */
export function among(size: Size): { users: number; writers: number } {
  return { users: connected(size), writers: size.users }
}

export function crowded(size: Size): string {
  const connections = thousands(connected(size))
  return `${thousands(size.manyAccounts)} accounts (${connections} connected, ${size.users} write)`
}

/** Sockets are what runs out first, in the generator and in the server. */
function connected({ manyAccounts, sockets }: Size): number {
  const users = Math.min(manyAccounts, sockets)
  return users - (users % 2)
}

export function postgres(chat: ChatPlan): Work[] {
  const each = {
    ...kept,
    family: 'postgres',
    store: 'postgres',
    counted: true,
    goal: 60,
  } as const
  const title = '1:1, archived in PostgreSQL'
  const modern = { inFlight: 4, askEvery: 1, kept: true }
  return [
    { ...each, title: `${title}, 1 in flight`, plan: chat({ kept: true }) },
    { ...each, title: `${title}, 4 in flight`, plan: chat({ inFlight: 4, kept: true }) },
    { ...each, title: `${title}, SM + acks + carbons`, modern: true, plan: chat(modern) },
  ]
}

/** An open loop at a given rate, or else at half of what a closed loop reaches before, one in flight. */
export function latency(chat: ChatPlan, { rate }: Size): Work[] {
  const each = { ...kept, family: 'latency', figure: LATENCY, goal: 10 } as const
  const load = rate === undefined ? 'half load' : `${thousands(rate)}/s`
  const title = '1:1, archived'
  const acknowledged = `${title}, SM + acks + carbons`
  const halved = rate === undefined
  const plain = { plan: chat({ rate: rate ?? 1, kept: true }), halved }
  const modern = { plan: chat({ rate: rate ?? 1, askEvery: 1, kept: true }), modern: true, halved }
  return [
    { ...each, ...plain, title: `${title}, ${load}` },
    { ...each, ...modern, title: `${acknowledged}, ${load}` },
    { ...each, ...plain, title: `${title}, PostgreSQL, ${load}`, store: 'postgres' },
    { ...each, ...modern, title: `${acknowledged}, PostgreSQL, ${load}`, store: 'postgres' },
  ]
}

const WALKS: Record<Walk, string> = {
  last: 'the last one',
  after: 'catching up',
  with: 'with one contact',
}

export function pages({ archiveMessages, big, warmUpSeconds, seconds }: Size): Work[] {
  const page = (messages: number, walk: Walk, store: Store): Work => {
    const timing = { warmUpSeconds: Math.min(warmUpSeconds, 2), seconds: Math.min(seconds, 4) }
    const plan: Plan = { kind: 'pages', users: 1, messages, walk, inFlight: 4, ...timing }
    const where = store === 'postgres' ? ', PostgreSQL' : ''
    const title = `page of 50 of ${thousands(messages)}${where}, ${WALKS[walk]}`
    const filled = { figure: PAGE, plan, filled: messages, store }
    const alone = messages > archiveMessages
    const goal = alone
      ? `≤ 1.5 times that of ${thousands(archiveMessages)}`
      : '≥ 4 times the rate of both'
    return { ...kept, ...filled, family: 'pages', title, alone, goal }
  }
  const walks = Object.keys(WALKS) as Walk[]
  const sizes = big ? [archiveMessages, 10 * archiveMessages] : [archiveMessages]
  return (['sqlite', 'postgres'] as const).flatMap((store) =>
    sizes.flatMap((messages) => walks.map((walk) => page(messages, walk, store))),
  )
}

export function search({ archiveMessages: messages, queries }: Size): Work[] {
  const row = (words: Frequency, store: Store): Work => {
    const plan: Plan = { kind: 'search', users: 1, messages, words, queries }
    const where = store === 'postgres' ? ', PostgreSQL' : ''
    const title = `search of ${thousands(messages)}${where}, ${words} words`
    const filled = { figure: SEARCH, plan, filled: messages, store }
    return { ...kept, ...filled, family: 'search', title, goal: 100 }
  }
  const frequencies = ['rare', 'medium', 'common'] as const
  return (['sqlite', 'postgres'] as const).flatMap((store) =>
    frequencies.map((words) => row(words, store)),
  )
}

/** Shorter ones would all find room in the kernel's buffers, and the server would notice nothing. */
const READERS_BODY = 500

export function memory({ readers, readerMessages: messages }: Size): Work[] {
  const plan: Plan = { kind: 'readers', users: 2 * readers, messages, bodyBytes: READERS_BODY }
  const each = `${thousands(messages)} messages of ${READERS_BODY} bytes for each`
  const title = `${readers} readers that stop, ${each}`
  const watched = { figure: GROWTH, goal: 100, fresh: true, modern: true, plan } as const
  const row = { ...kept, ...watched, family: 'memory' } as const
  return [
    { ...row, title },
    { ...row, title: `${title}, PostgreSQL`, store: 'postgres' },
  ]
}
