// The flags of `npm run faults`, with what they mean; --help is written from here.

import { tmpdir } from 'node:os'
import { type Command, InvalidArgumentError, Option, program } from 'commander'
import { breakable, type Failpoint, failpoints, type Promised } from '../../lib/ops/failpoint.js'
import { KINDS, type Kind, SERVERS, type ServerName, STORES, type StoreName } from './task.js'

export interface Options {
  server?: ServerName
  store?: StoreName
  nodes?: number
  what?: Kind
  kills?: number
  failpoint?: Failpoint
  break?: Promised
  expectFailure?: boolean
  seed: number
  users: number
  window: number
  burst: number
  rate: number
  cuts: number
  rooms?: number
  carbons: boolean
  quick?: boolean
  json?: boolean
  report?: string
  log?: string
  folder: string
  keep?: boolean
}

const MANUAL = `
Real clients over TCP and WebSocket write to each other while a real server is killed, starved or
restarted; afterwards all logs and archives are compared. Ends with 1 where a figure that must be
zero is not.

  npm run faults                                     the whole plan, a table at the end
  npm run faults -- --quick                          the same plan with few faults each
  npm run faults -- --kills 200 --store postgres     one run
  npm run faults -- --failpoint after-commit --kills 50
  npm run faults -- --what disk-full --kills 3
  npm run faults -- --nodes 2 --kills 200            a random one of two nodes
  npm run faults -- --what redis-failover --kills 6  two nodes, as all kinds from roam on
  npm run faults -- --what partition --kills 10      between a node and Redis; needs root
  npm run faults -- --nodes 2 --rooms 50 --kills 20  the owner of rooms, in turn
  npm run faults -- --server ejabberd --kills 20
  npm run faults -- --break ack-early --expect-failure
`

function between(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}`)
  }
}

function declare(): Command {
  const choice = (flags: string, text: string, list: readonly string[]) =>
    new Option(flags, text).choices(list)
  return program
    .name('npm run faults --')
    .description('Kills the server under load and checks that nothing acknowledged is lost.')
    .addOption(choice('--server <name>', 'what is tested (default: tercet)', SERVERS))
    .addOption(choice('--store <name>', 'where it keeps things (default: its own)', STORES))
    .option('--nodes <n>', 'as many nodes, on PostgreSQL and Redis (default: 1)', between(1, 8))
    .addOption(choice('--what <kind>', 'which fault (default: kill)', KINDS))
    .option('--kills <n>', 'how many faults of that kind (default: 20)', between(1, 100_000))
    .addOption(choice('--failpoint <name>', 'the server ends itself there', failpoints))
    .addOption(choice('--break <promise>', 'the server breaks a promise on purpose', breakable))
    .option('--expect-failure', 'ends with 0 only where messages were lost')
    .option('--seed <n>', 'the same seed draws the same plan', between(0, 2 ** 32 - 1), 1)
    .option('--users <n>', 'users; every third has two devices', between(2, 1000), 20)
    .option('--window <n>', 'messages in flight per device', between(1, 100), 4)
    .option('--burst <n>', 'messages between two kills at most', between(1, 1_000_000), 1000)
    .option('--rate <n>', 'messages a second, for faults that last', between(1, 100_000), 500)
    .option('--cuts <n>', 'connections cut between two kills, on average', between(0, 1000), 2)
    .option(
      '--rooms <n>',
      'people in so many rooms, instead of messages; kill, pause, redis-kill or redis-stop',
      between(1, 1000),
    )
    .option('--no-carbons', 'no device asks for carbons')
    .option('--quick', 'the plan, or one run, with five faults and ten users')
    .option('--json', 'write the results to standard output as JSON')
    .option('--report <file>', 'write the results there as a table for a document')
    .option('--log <file>', "write everybody's logs there, one JSON object a line")
    .option('--folder <path>', 'where servers keep their data', tmpdir())
    .option('--keep', 'keep the folders of the servers, with their logs')
    .addHelpText('after', MANUAL)
}

export function readOptions(args: readonly string[]): Options {
  const command = declare().parse(args, { from: 'user' })
  const options = command.opts<Options>()
  if (options.quick && command.getOptionValueSource('users') === 'default') options.users = 10
  return options
}
