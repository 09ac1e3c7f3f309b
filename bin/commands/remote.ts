// Commands of modules: `tercet user add romeo@localhost`. The running server says which there are and
// what they take; arguments are read by that, and checked again by the server.

import { NotRunning, askServer } from '../../lib/core/control-client.js'
import type { CommandDescription } from '../../lib/core/control-verbs.js'
import type { CommandResult, Parameter } from '../../lib/core/commands.js'
import { nearest } from '../../lib/ops/nearest.js'
import { nearestVerb } from '../dispatch.js'
import { UsageError, exitCodes } from '../exit-codes.js'
import { commonFlags, parseFlags } from '../flags.js'
import type { Flag, Parsed } from '../flags.js'
import { printUsage } from '../help.js'
import { askSecret, readSecret } from '../password.js'
import { dataFolder } from '../source.js'
import { printRows } from '../table.js'
import { clean } from '../terminal.js'
import type { Terminal } from '../terminal.js'

export const remoteFlags: readonly Flag[] = [
  commonFlags.config,
  commonFlags.set,
  commonFlags.json,
  { name: 'host', takes: 'DOMAIN', doc: 'Which host, where the server has several' },
]

export async function runRemote(args: readonly string[], terminal: Terminal): Promise<number> {
  // Before the command is known, only the flags that find the server are understood.
  const places = parseFlags(placeFlags(args), [commonFlags.config, commonFlags.set])
  const command = await findCommand(args, places)
  const flags = [...parameterFlags(command), ...remoteFlags]
  const parsed = parseFlags(args, [...flags, commonFlags.help])
  if (parsed.flag('help')) {
    printUsage(terminal, { usage: usage(command), summary: command.summary, flags })
    return exitCodes.ok
  }
  const host = parsed.value('host')
  const given = await argumentsOf(command, parsed)
  const request = { command: command.name, args: given, ...(host !== undefined && { host }) }
  print((await askServer(await dataFolder(parsed), request)) as CommandResult, parsed, terminal)
  return exitCodes.ok
}

export async function fetchCommands(parsed: Parsed): Promise<readonly CommandDescription[]> {
  const folder = await dataFolder(parsed)
  return (await askServer(folder, { command: 'server commands', args: {} })) as CommandDescription[]
}

function placeFlags(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    if (/^--(config|set)=/.test(arg)) return [arg]
    const value = args[at + 1]
    return (arg === '--config' || arg === '--set') && value !== undefined ? [arg, value] : []
  })
}

async function findCommand(args: readonly string[], places: Parsed): Promise<CommandDescription> {
  const flagsStart = args.findIndex((arg) => arg.startsWith('-'))
  const words = flagsStart < 0 ? args : args.slice(0, flagsStart)
  const [noun = ''] = words
  const commands = await fetchCommands(places).catch((error: unknown) => {
    const verb = error instanceof NotRunning ? nearestVerb(noun) : undefined
    throw verb === undefined
      ? error
      : new UsageError(`there is no command ${noun}: did you mean tercet ${verb}?`)
  })
  const command = commands.find(
    ({ name }) => name === words.slice(0, name.split(' ').length).join(' '),
  )
  if (command) return command
  throw unknownCommand(words, commands)
}

function unknownCommand(
  words: readonly string[],
  commands: readonly CommandDescription[],
): UsageError {
  const [noun = ''] = words
  const verbsOfNoun = commands
    .filter(({ name }) => name.startsWith(`${noun} `))
    .map(({ name }) => name)
  if (verbsOfNoun.length > 0) {
    const near = nearest(words.slice(0, 2).join(' '), verbsOfNoun)
    const hint =
      near === undefined || words.length < 2
        ? `there are ${verbsOfNoun.join(', ')}`
        : `did you mean tercet ${near}?`
    return new UsageError(`there is no command ${words.slice(0, 2).join(' ')}: ${hint}`)
  }
  const near =
    nearest(
      noun,
      commands.map(({ name }) => name.split(' ')[0]!),
    ) ?? nearestVerb(noun)
  return new UsageError(
    `there is no command ${noun}: ${near === undefined ? 'see tercet help' : `did you mean tercet ${near}?`}`,
  )
}

// Parameters as flags and words

const flagName = (name: string): string => name.replaceAll('_', '-')

export function parameterFlags(command: CommandDescription): Flag[] {
  const flags = Object.entries(command.parameters).flatMap(([name, parameter]) =>
    flagsOf(flagName(name), parameter),
  )
  return flags.filter((flag, at) => flags.findIndex(({ name }) => name === flag.name) === at)
}

function flagsOf(name: string, parameter: Parameter): Flag[] {
  const { kind, doc, choices } = parameter
  if (parameter.positional) return []
  if (kind === 'flag') return [{ name, doc }]
  if (kind === 'secret') {
    return [
      { name: `${name}-stdin`, doc: `Reads the ${name} from standard input` },
      { name: 'generate', doc: `Makes a ${name} and prints it` },
    ]
  }
  const takes =
    kind === 'integer'
      ? 'NUMBER'
      : kind === 'jid' || kind === 'jids'
        ? 'ADDRESS'
        : name.toUpperCase()
  return [
    { name, takes, doc, many: kind === 'jids' || kind === 'lines', ...(choices && { choices }) },
  ]
}

export function usage(command: CommandDescription): string {
  const words = Object.entries(command.parameters)
    .filter(([, { positional }]) => positional)
    .map(([name, { kind, required }]) => {
      const many = kind === 'jids' || kind === 'lines'
      const word = `${kind === 'jid' || kind === 'jids' ? 'ADDRESS' : flagName(name).toUpperCase()}${many ? '...' : ''}`
      return required ? word : `[${word}]`
    })
  return [command.name, ...words].join(' ')
}

async function argumentsOf(
  command: CommandDescription,
  parsed: Parsed,
): Promise<Record<string, unknown>> {
  const args: Record<string, unknown> = {}
  const words = parsed.words.slice(command.name.split(' ').length)
  for (const [name, parameter] of Object.entries(command.parameters)) {
    if (!parameter.positional) continue
    const many = parameter.kind === 'jids' || parameter.kind === 'lines'
    const value = many ? words.splice(0) : words.shift()
    if (value !== undefined && value.length > 0) args[name] = value
    else if (parameter.required)
      throw new UsageError(`${parameter.doc} is wanted: tercet ${usage(command)}`)
  }
  if (words.length > 0)
    throw new UsageError(
      `${JSON.stringify(words[0])} is one word too many: tercet ${usage(command)}`,
    )
  for (const [name, parameter] of Object.entries(command.parameters)) {
    const value = parameter.positional
      ? undefined
      : await flagValue(flagName(name), parameter, parsed)
    if (value !== undefined) args[name] = value
  }
  return args
}

async function flagValue(name: string, parameter: Parameter, parsed: Parsed): Promise<unknown> {
  if (parameter.kind === 'flag') return parsed.flag(name) || undefined
  if (parameter.kind !== 'secret')
    return parameter.kind === 'jids' || parameter.kind === 'lines'
      ? several(parsed.values(name))
      : parsed.value(name)
  if (parsed.flag(`${name}-stdin`)) return readSecret(name)
  // What is left out, the server makes and answers with.
  return parsed.flag('generate') ? undefined : askSecret(name)
}

function several(values: readonly string[]): readonly string[] | undefined {
  return values.length > 0 ? values : undefined
}

function print(result: CommandResult, parsed: Parsed, terminal: Terminal): void {
  if (parsed.flag('json')) {
    terminal.out(JSON.stringify(result.rows ?? { note: result.note ?? null }, undefined, 2))
    return
  }
  if (result.note !== undefined) terminal.out(clean(result.note))
  if (result.rows) printRows(terminal, result.rows)
}
