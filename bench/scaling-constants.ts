// What the plan of scale (docs/scaling.md) reckons with. Measured ones name the command that anybody can
// repeat; the others are assumptions, for whoever knows better to change. `npm run scaling` then writes the
// document's tables again.

export type Constant = {
  value: number
  unit: string
  what: string
  /** The command that measures it; where there is none it is assumed, for this reason. */
  measured?: string
  assumed?: string
}

const measured = (value: number, unit: string, what: string, command: string): Constant => ({
  ...{ value, unit, what },
  measured: command,
})

const assumed = (value: number, unit: string, what: string, why: string): Constant => ({
  ...{ value, unit, what },
  assumed: why,
})

const CLUSTER = 'npm run bench -- --only tercet --work cluster'
const ROW = 'node build/bench/number-row.js'
const code = (path: string) => `as it is in ${path}`

export const constants = {
  // People
  connected: assumed(0.2, 'of the users', 'connected at the peak', 'large messengers by day'),
  messages: assumed(
    40,
    'a day',
    'messages a user writes',
    'as many as are sent in large messengers',
  ),
  peak: assumed(3, 'times the mean', 'messages in the busiest hour', 'evenings'),
  signs: assumed(2, 'a message', 'receipts and read markers that follow', 'clients send both'),
  copies: assumed(0.5, 'a message', 'further devices, on other nodes', 'every second user has two'),
  contacts: assumed(
    50,
    'a user',
    'contacts in the roster',
    'the roster that the bench logs in with',
  ),
  present: assumed(15, 'a user', 'contacts that are connected', 'a fifth, and friends more often'),
  session: assumed(60, 'minutes', 'until a device binds anew', 'in between it resumes its stream'),
  presences: assumed(4, 'an hour', 'changes of presence in a session', 'away and back, twice'),

  // Machines
  cores: assumed(8, 'cores', 'of a machine', 'a usual size'),
  busy: assumed(0.5, 'of a machine', 'used at the peak', 'the rest is for when others die'),
  nodes: assumed(
    4,
    'nodes',
    'on a machine',
    'workers: 4; the other cores are for the kernel and TLS',
  ),
  connections: assumed(50_000, 'sessions', 'on a machine', 'npm run bench -- --work sessions'),
  machines: assumed(100, 'machines', 'in a cell at most', 'what one team can watch and upgrade'),
  primary: assumed(100_000, 'commands/s', 'of a Redis primary', 'half of what its one thread does'),
  patience: assumed(100, 'ms', 'a commit may wait for its turn', 'people do not notice it'),
  sign: assumed(0.3, 'of a message', 'processor time of a sign', 'it is not committed'),

  // A message, all of it
  tercetAlone: measured(344, 'µs', 'Tercet, a message within one node', `${CLUSTER}, 1,000/s`),
  tercetAcross: measured(509, 'µs', 'Tercet, a message between nodes', `${CLUSTER}, 1,000/s`),
  postgres: measured(
    28,
    'µs',
    'PostgreSQL, a message in a group of many',
    `${CLUSTER}, 4 in flight`,
  ),
  redisTime: measured(14, 'µs', 'Redis, a message between nodes', `${CLUSTER}, 1,000/s`),
  redisMessage: measured(1, 'commands', 'a message between two nodes', `${CLUSTER}, 100/s`),
  frame: measured(400, 'bytes', 'of a message on the bus', `${CLUSTER}, 100/s`),
  disk: measured(767, 'bytes', 'of a message in the log, both sides, indices', ROW),

  // A login
  login: measured(4, 'ms', 'all processes, a login', CLUSTER),
  redisLogin: measured(2, 'commands', 'a login, empty roster', CLUSTER),
  lookUp: measured(1, 'commands', 'each contact at login, above 16 nodes', CLUSTER),
  memory: measured(37.1, 'KB', 'a session over TLS', 'npm run bench -- --only tercet --work idle'),

  // The row of message numbers
  holdCommit: measured(0.76, 'ms', 'a commit holds the row', ROW),
  holdMessage: measured(38, 'µs', 'each message in it holds the row', ROW),
  holdBind: measured(0.57, 'ms', 'binding a session holds the row', ROW),

  // Upkeep
  heartbeat: measured(2, 'commands', 'a heartbeat', CLUSTER),
  beats: measured(4, 's', 'between two heartbeats', code('lib/cluster/membership.ts')),
  pings: measured(0.33, 'commands/s', 'of a node that asks whether it still hears Redis', CLUSTER),
  member: measured(
    300,
    'bytes',
    'of a node in the list that a heartbeat brings',
    code('lib/cluster/membership.ts'),
  ),
  renewal: measured(
    1200,
    's',
    'until an entry of the directory is written again',
    code('lib/cluster/redis-directory.ts'),
  ),
  renewed: measured(2, 'commands', 'each time', code('lib/cluster/redis-directory.ts')),
} satisfies Record<string, Constant>

export type Name = keyof typeof constants
export type Values = Record<Name, number>

export const values = Object.fromEntries(
  Object.entries(constants).map(([name, { value }]) => [name, value]),
) as Values
