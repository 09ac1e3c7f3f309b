// Finds the command that a command line means, runs it and turns what it throws into a message that
// says what to do next and an exit code.

import { NotRunning, Refused } from '../lib/core/control-client.js'
import { nearest } from '../lib/ops/nearest.js'
import { ConfigError } from '../lib/xmpp/errors.js'
import { UsageError, exitCodes } from './exit-codes.js'
import { printFaults } from './fault-report.js'
import { commonFlags, parseFlags } from './flags.js'
import { reason } from './reason.js'
import type { SystemError } from './reason.js'
import { clean } from './terminal.js'
import type { Terminal } from './terminal.js'
import { verbs } from './verbs.js'
import type { Verb } from './verbs.js'

export async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await find(args, terminal)
  } catch (error) {
    return explain(error, terminal)
  }
}

async function find(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = 'help'] = args
  if (first === 'help' || first === '--help' || first === '-h') return help(args.slice(1), terminal)
  if (first === '--version' || first === '-v') return find(['version'], terminal)
  const verb = verbOf(args)
  if (!verb) return (await import('./commands/remote.js')).runRemote(args, terminal)
  const rest = args.slice(verb.name.split(' ').length)
  const parsed = parseFlags(rest, [...verb.flags, commonFlags.help])
  if (parsed.flag('help')) return (await import('./help.js')).printVerb(verb, terminal)
  if (parsed.words.length > (verb.most ?? 0)) {
    throw new UsageError(
      `tercet ${verb.name} takes no ${JSON.stringify(parsed.words[verb.most ?? 0])}: see tercet ${verb.name} --help`,
    )
  }
  return (await verb.load()).run(parsed, terminal)
}

function verbOf(args: readonly string[]): Verb | undefined {
  return verbs.find(({ name }) => name.split(' ').every((word, at) => args[at] === word))
}

async function help(args: readonly string[], terminal: Terminal): Promise<number> {
  const verb = verbOf(args)
  const { printHelp, printVerb } = await import('./help.js')
  if (verb) return printVerb(verb, terminal)
  if (args.length > 0 && !args[0]!.startsWith('-')) return find([...args, '--help'], terminal)
  return printHelp(terminal)
}

/** Of a command that is none: the nearest that is. */
export function nearestVerb(word: string): string | undefined {
  return nearest(
    word,
    verbs.map(({ name }) => name.split(' ')[0]!),
  )
}

/** Says what to do next; the exit code. */
export function explain(error: unknown, terminal: Terminal): number {
  const say = (message: string) => terminal.err(terminal.errStyle('red', clean(message)))
  if (error instanceof UsageError) {
    say(error.message)
    return exitCodes.usage
  }
  if (error instanceof NotRunning) {
    say(`${error.message}: start it with tercet start (and give the same --config here)`)
    return exitCodes.notRunning
  }
  if (error instanceof ConfigError) return faults(error.faults, terminal)
  if (error instanceof Refused) {
    if (error.refusal.faults) return faults(error.refusal.faults, terminal)
    say(error.message)
    return error.refusal.condition === 'bad-request' ? exitCodes.usage : exitCodes.failed
  }
  say(reason(error as SystemError))
  return exitCodes.failed
}

function faults(list: ConfigError['faults'], terminal: Terminal): number {
  printFaults(terminal, list)
  return exitCodes.configuration
}
