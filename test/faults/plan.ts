// Which runs: one, where a flag names it; else all that the promise asks for, the peers beside it.

import { failpoints } from '../../lib/ops/failpoint.js'
import type { Options } from './options.js'
import { type Kind, NODE_KINDS, type Task } from './task.js'

export interface Planned {
  task: Task
  /** The run is to find lost messages. */
  expectFailure: boolean
  /** A peer's figures stand beside ours and fail nobody. */
  beside: boolean
}

type Wanted = Partial<Task> & Pick<Task, 'server' | 'store' | 'what' | 'times'>

const QUICK_TIMES = 5

const severalNodes: Pick<Task, 'nodes' | 'what' | 'times'>[] = [
  { nodes: 3, what: 'kill', times: 50 },
  ...(
    [
      ['roam', 10],
      ['kill', 200],
      ['kill-all', 20],
      ['drain', 20],
      ['pause', 20],
      ['clock', 7],
      ['descriptors', 5],
      ['redis-kill', 20],
      ['redis-stop', 3],
      ['redis-failover', 6],
      ['redis-mishap', 10],
      ['postgres-restart', 20],
      ['postgres-stop', 5],
      ['postgres-locked', 3],
      ['commit-unknown', 10],
      ['partition', 9],
      ['partition-postgres', 6],
      ['partition-clients', 6],
      ['half-open', 20],
      ['stall', 5],
      ['slow', 6],
    ] as const
  ).map(([what, times]) => ({ nodes: 2, what, times })),
]

export function plan(options: Options): Planned[] {
  const { server, store, nodes, what, failpoint, break: breaking, kills, quick } = options
  const named = server ?? nodes ?? store ?? what ?? failpoint ?? breaking ?? kills
  if (named === undefined) return whole(options)
  const times = kills ?? (quick ? QUICK_TIMES : 20)
  const fault = what ?? 'kill'
  const many = nodes ?? (ofNodes(fault) ? 2 : 1)
  const shared = many > 1 || fault === 'postgres-restart'
  const place = store ?? (shared ? 'postgres' : 'own')
  const more = { ...(failpoint ? { failpoint } : {}), ...(breaking ? { breaking } : {}) }
  const wanted = {
    server: server ?? 'tercet',
    store: place,
    nodes: many,
    what: fault,
    times,
    ...more,
  }
  const expectFailure = options.expectFailure === true
  return [{ task: complete(wanted, options), expectFailure, beside: false }]
}

const ofNodes = (what: Kind): boolean => NODE_KINDS.some((kind) => kind === what)

function whole(options: Options): Planned[] {
  const times = (many: number) => (options.quick ? Math.min(many, QUICK_TIMES) : many)
  const planned = (wanted: Wanted, more: Partial<Planned> = {}): Planned => {
    const task = complete({ ...wanted, times: times(wanted.times) }, options)
    return { task, expectFailure: false, beside: false, ...more }
  }
  const tercet = { server: 'tercet', what: 'kill' } as const
  const stores = ['sqlite', 'postgres'] as const
  const beside = { beside: true }
  return [
    ...stores.map((store) => planned({ ...tercet, store, times: 200 })),
    ...stores.flatMap((store) =>
      failpoints.map((failpoint) => planned({ ...tercet, store, failpoint, times: 50 })),
    ),
    planned({ ...tercet, store: 'sqlite', what: 'power-loss', times: 200 }),
    planned({ ...tercet, store: 'postgres', what: 'postgres-restart', times: 50 }),
    planned({ ...tercet, store: 'sqlite', what: 'disk-full', times: 3 }),
    ...stores.map((store) => planned({ ...tercet, store, what: 'drain', times: 20 })),
    ...severalNodes.map((wanted) => planned({ ...wanted, server: 'tercet', store: 'postgres' })),
    planned(
      { ...tercet, store: 'sqlite', breaking: 'ack-early', times: 20 },
      { expectFailure: true },
    ),
    planned({ server: 'prosody', store: 'own', what: 'kill', times: 20 }, beside),
    planned({ server: 'ejabberd', store: 'own', what: 'kill', times: 20 }, beside),
    planned({ server: 'ejabberd', store: 'sqlite', what: 'kill', times: 20 }, beside),
  ]
}

function complete(wanted: Wanted, options: Options): Task {
  const {
    seed,
    users,
    window,
    burst,
    rate,
    cuts,
    carbons,
    rooms,
    folder,
    keep = false,
    log,
  } = options
  const habits = { seed, users, window, burst, rate, cuts, carbons, rooms }
  return { ...habits, folder, keep, log, nodes: 1, ...wanted }
}
