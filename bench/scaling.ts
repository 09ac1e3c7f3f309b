// The plan of scale as arithmetic: what so many users mean for connections, nodes, Redis and PostgreSQL, how
// many cells that takes, and what a message costs then. Pure; what it reckons with is in
// scaling-constants.ts. A cell is as large as its machines may be and as the row of message numbers, which
// every commit and every binding of the cell holds in turn, lets it be.
import { type Values, values } from './scaling-constants.js'

const DAY = 86_400
const HOUR = 3600
const MOST_CELLS = 100_000
const ROUNDS = 200

export type Cell = {
  machines: number
  nodes: number
  /** A second, as they are recorded: one from another cell is recorded in both. */
  messages: number
  binds: number
  /** Of a second, how long the row of message numbers is wanted; above 1 commits gather. */
  rowLoad: number
  /** Milliseconds that a commit waits for its turn */
  wait: number
  redisCommands: number
  redisPrimaries: number
  /** A second */
  busBytes: number
  postgresCores: number
  diskBytesADay: number
}

export type Scale = {
  users: number
  connected: number
  messages: number
  machines: number
  memoryBytes: number
  cells: number
  cell: Cell
  message: Cost
}

/** Of one message with its receipt, its marker and its copies */
export type Cost = {
  tercet: number
  postgres: number
  redis: number
  commands: number
  busBytes: number
  diskBytes: number
}

export function scaleOf(users: number, with_: Values = values): Scale {
  const load = loadOf(users, with_)
  const cells = cellsFor(load, with_)
  return {
    ...{ users, connected: load.connected, messages: load.messages },
    ...{ machines: load.machines, memoryBytes: load.connected * with_.memory * 1000 },
    cells,
    cell: cellOf(load, cells, with_),
    message: costOf(load, cells, with_),
  }
}

type Load = { users: number; connected: number; messages: number; binds: number; machines: number }

/** All of it at the peak, however many cells there are. */
function loadOf(users: number, v: Values): Load {
  const connected = users * v.connected
  const messages = ((users * v.messages) / DAY) * v.peak
  const binds = connected / (v.session * 60)
  const perMessage = v.tercetAcross * (1 + (v.signs + v.copies) * v.sign)
  const cores = (messages * perMessage) / 1e6 + (binds * v.login) / 1e3
  const machines = Math.ceil(Math.max(connected / v.connections, cores / (v.cores * v.busy)))
  return { users, connected, messages, binds, machines: Math.max(1, machines) }
}

function cellsFor(load: Load, v: Values): number {
  const fits = (cells: number) => {
    const { machines, wait } = cellOf(load, cells, v)
    return machines <= v.machines && wait <= v.patience
  }
  let cells = Math.max(1, Math.ceil(load.machines / v.machines))
  while (!fits(cells) && cells < MOST_CELLS) cells++
  return cells
}

/** Users are spread over cells by their names: who writes to whom does not matter. */
const crossing = (cells: number) => 1 - 1 / cells

/** One process is plenty where one machine is. */
const nodesOn = (machines: number, v: Values) => (machines <= 1 ? 1 : Math.ceil(machines * v.nodes))

function cellOf(load: Load, cells: number, v: Values): Cell {
  const machines = load.machines / cells
  const nodes = nodesOn(machines, v)
  const messages = (load.messages / cells) * (1 + crossing(cells))
  const binds = load.binds / cells
  const row = rowOf({ nodes, messages, binds }, v)
  const bus = busOf({ nodes, messages, binds, connected: load.connected / cells }, v)
  return {
    ...{ machines: Math.ceil(machines), nodes, messages, binds, ...row, ...bus },
    postgresCores: (messages * v.postgres) / 1e6,
    diskBytesADay: ((load.users * v.messages) / cells) * (1 + crossing(cells)) * v.disk,
  }
}

type InCell = { nodes: number; messages: number; binds: number }

/**
 * While there is time for each commit alone they wait as in any queue. Beyond that each node has one commit
 * and one binding in the queue, the messages of a whole cycle in it.
 */
function rowOf({ nodes, messages, binds }: InCell, v: Values): { rowLoad: number; wait: number } {
  const commit = v.holdCommit / 1e3
  const message = v.holdMessage / 1e6
  const bind = nodes > 1 ? v.holdBind / 1e3 : 0
  const rowLoad = messages * (commit + message) + binds * bind
  if (rowLoad < 1) {
    const queue = ((commit + message) * rowLoad) / 2 / (1 - rowLoad)
    return { rowLoad, wait: Math.min(queue, nodes * (commit + bind)) * 1e3 }
  }
  return { rowLoad, wait: cycle({ nodes, messages, binds }, { commit, message, bind }) * 1e3 }
}

/** Seconds until everybody who wants to write has had a turn */
function cycle(
  { nodes, messages, binds }: InCell,
  held: Record<'commit' | 'message' | 'bind', number>,
) {
  const left = 1 - messages * held.message
  if (left <= 0) return Number.POSITIVE_INFINITY
  let seconds = (nodes * (held.commit + held.bind)) / left
  for (let round = 0; round < ROUNDS; round++) {
    const commits = Math.min(nodes, messages * seconds) * held.commit
    const bindings = Math.min(nodes, binds * seconds) * held.bind
    seconds = commits + bindings + messages * seconds * held.message
  }
  return seconds
}

/** How many of the other nodes so many places are on. */
export function nodesReached(places: number, nodes: number): number {
  return (nodes - 1) * (1 - (1 - 1 / nodes) ** places)
}

type Bus = Pick<Cell, 'redisCommands' | 'redisPrimaries' | 'busBytes'>

function busOf(
  { nodes, messages, binds, connected }: InCell & { connected: number },
  v: Values,
): Bus {
  if (nodes === 1) return { redisCommands: 0, redisPrimaries: 0, busBytes: 0 }
  const frames = messages * framesOfMessage(nodes, v)
  // Coming and going, and what changes in between, is told to each node that has contacts.
  const presences = 2 * binds + (connected * v.presences) / HOUR
  const told = presences * nodesReached(v.present, nodes) + binds * nodesReached(v.present, nodes)
  const directory = binds * (v.redisLogin + 1 + v.contacts * v.lookUp)
  const upkeep = nodes * (v.heartbeat / v.beats + v.pings) + (connected * v.renewed) / v.renewal
  const redisCommands = frames * v.redisMessage + told + directory + upkeep
  const lists = (nodes * nodes * v.member) / v.beats
  return {
    redisCommands,
    redisPrimaries: Math.ceil(redisCommands / v.primary),
    busBytes: (frames + told) * v.frame + lists,
  }
}

/** The message, its signs and its copies, as far as they leave their node */
function framesOfMessage(nodes: number, v: Values): number {
  return (1 + v.signs + v.copies) * nodesReached(1, nodes)
}

function costOf(load: Load, cells: number, v: Values): Cost {
  const nodes = nodesOn(load.machines / cells, v)
  const recorded = 1 + crossing(cells)
  const each = v.tercetAlone + (v.tercetAcross - v.tercetAlone) * nodesReached(1, nodes)
  const frames = framesOfMessage(nodes, v) * recorded
  return {
    tercet: each * recorded + each * (v.signs + v.copies) * v.sign,
    postgres: v.postgres * recorded,
    redis: frames * v.redisTime,
    commands: frames * v.redisMessage,
    busBytes: frames * v.frame,
    diskBytes: v.disk * recorded,
  }
}
