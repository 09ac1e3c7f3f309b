// The flags of `npm run bench`, with what they mean; --help is written from here.
import { type Command, InvalidArgumentError, program } from 'commander'
import { sockets } from './machine.js'
import { FAMILIES, type Family, type Size } from './work.js'

export const PEERS = ['relay', 'prosody', 'ejabberd', 'tercet'] as const
export type PeerName = (typeof PEERS)[number]

export type Options = Size & {
  only: PeerName[]
  work: Family[]
  titled: string
  rounds: number
  json?: string
  folder?: string
  keep?: boolean
  scale: number
}

const MANUAL = `
Every server is started in a folder of its own, configured for the work at hand, pinned to the
first core; the load generator runs on the second. The figure that counts is the processor time
of the server, with all its threads and children, per unit of work; the rate shows what one core
carries only while nothing else runs there.

  npm run bench                                  everything, some hours
  npm run bench -- --quick                       the same rows, short, one round
  npm run bench -- --only tercet --work chat,tls
`

function oneOf<T extends string>(known: readonly T[]) {
  return (text: string): T[] =>
    text.split(',').map((name) => {
      const found = known.find((each) => each === name)
      if (!found) throw new InvalidArgumentError(`one or more of ${known.join(',')}`)
      return found
    })
}

function between(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}`)
  }
}

function nodeCounts(text: string): number[] {
  return text.split(',').map(between(2, 16))
}

function share(text: string): number {
  const value = Number(text)
  if (value > 0 && value <= 1) return value
  throw new InvalidArgumentError('a number above 0, up to 1')
}

const QUICK: Partial<Options> = {
  nodes: [2],
  scale: 0.04,
  rounds: 1,
  seconds: 3,
  warmUpSeconds: 2,
  idleUsers: 1000,
  settleSeconds: 3,
  loginUsers: 100,
  manyAccounts: 2000,
  archiveMessages: 100_000,
  queries: 40,
  readerMessages: 1000,
}

function declare(): Command {
  return program
    .name('npm run bench --')
    .description('Compares Tercet with Prosody and ejabberd on this machine.')
    .option(
      '--only <servers>',
      `of ${PEERS.join(', ')}; relay is a bare one, the yardstick of the machine`,
      oneOf(PEERS),
      [...PEERS],
    )
    .option('--work <families>', `of ${FAMILIES.join(', ')}`, oneOf(FAMILIES), [...FAMILIES])
    .option('--titled <text>', 'only rows with this in their title', '')
    .option('--quick', 'short runs, one round: a first impression')
    .option('--rounds <n>', 'rounds over all servers; medians are shown', between(1, 20), 3)
    .option('--users <n>', 'users who write, in pairs', between(2, 20_000), 200)
    .option('--body-bytes <n>', 'bytes of text in a message', between(0, 20_000), 80)
    .option('--seconds <n>', 'how long a chat run is measured', between(1, 120), 6)
    .option('--warm-up-seconds <n>', 'how long it runs before that', between(0, 60), 3)
    .option(
      '--rate <n>',
      'messages a second in the open loops (default: 2000, and half of what the server can carry for latency)',
      between(1, 200_000),
    )
    .option('--many-accounts <n>', 'accounts in the rows about many', between(2, 50_000), 20_000)
    .option(
      '--archive-messages <n>',
      'messages in a long archive',
      between(1000, 20_000_000),
      1_000_000,
    )
    .option('--big', 'pages out of an archive ten times as long as well')
    .option('--queries <n>', 'searches in a row', between(10, 10_000), 200)
    .option('--readers <n>', 'readers that stop reading', between(1, 5000), 50)
    .option('--reader-messages <n>', 'messages for each of them', between(1, 1_000_000), 10_000)
    .option('--idle-users <n>', 'idle sessions', between(100, 20_000), 4000)
    .option('--settle-seconds <n>', 'wait before memory is read', between(0, 300), 5)
    .option('--nodes <counts>', 'nodes in the rows about a cluster', nodeCounts, [2, 4, 8])
    .option('--many-sessions <n>', 'sessions of three generators', between(60, 60_000), 50_000)
    .option('--storm-sessions <n>', 'sessions that come back at once', between(10, 18_000), 5000)
    .option('--scale <share>', 'of these two, for a small try', share, 1)
    .option('--login-users <n>', 'logins in a round', between(10, 20_000), 300)
    .option(
      '--folder <path>',
      "where the servers keep their data, on a disk (default: the system's folder for temporary files)",
    )
    .option('--json <file>', 'write all figures of all rounds there')
    .option('--keep', 'keep the folders of the servers, with their logs')
    .addHelpText('after', MANUAL)
}

export function readOptions(args: readonly string[]): Options {
  const command = declare().parse(args, { from: 'user' })
  const options = { ...command.opts<Options & { quick?: boolean }>(), sockets: sockets() }
  if (!options.quick) return options
  for (const [key, value] of Object.entries(QUICK)) {
    if (command.getOptionValueSource(key) === 'default') Object.assign(options, { [key]: value })
  }
  return options
}
