// Commands of administration. One declaration makes the verb of the command line, the ad-hoc command
// and the REST operation; this file holds the declaration and checks arguments against it.

import { Jid } from '../xmpp/jid.js'
import { StanzaError } from '../xmpp/errors.js'
import type { Host } from './host.js'
import type { Server } from './server.js'

export interface Parameter {
  readonly kind: 'text' | 'secret' | 'jid' | 'jids' | 'lines' | 'integer' | 'flag' | 'choice'
  readonly doc: string
  /** Its place on the command line is after the verb, without a name. */
  readonly positional?: boolean
  readonly required?: boolean
  readonly choices?: readonly string[]
  /** Name of the field in an ad-hoc form where a XEP fixes one. */
  readonly field?: string
  /** Of an integer: what a form proposes to choose from, beside no limit at all. */
  readonly proposed?: readonly number[]
}

export type Parameters = Readonly<Record<string, Parameter>>

export interface CommandContext {
  readonly host: Host
  /** Who asks: an administrator's address, or undefined for the command line of this machine. */
  readonly by: Jid | undefined
}

/** A table is a list of flat rows; a thing is one row; nothing is undefined. */
export type Row = Readonly<Record<string, string | number | boolean | null | readonly string[]>>
export interface CommandResult {
  /** One sentence for people. */
  readonly note?: string
  readonly rows?: readonly Row[]
}

// biome-ignore lint/suspicious/noExplicitAny: arguments are checked against `parameters` before run
export type Arguments = Record<string, any>

export interface Command {
  /** Noun, then verb: 'user add'. */
  readonly name: string
  readonly summary: string
  /** 'admin': administrators of the host; 'account': any local user, for themselves. */
  readonly allow: 'admin' | 'account'
  readonly parameters: Parameters
  /** Node of the ad-hoc command where a XEP fixes one. */
  readonly node?: string
  /** FORM_TYPE of its result where a XEP fixes one. */
  readonly form?: string
  /** What its form is filled in with, by parameter: as things are now. */
  current?(context: CommandContext): Promise<Row> | Row
  /** The rows as the fields that a XEP fixes, where people are shown a table. */
  fields?(rows: readonly Row[]): Row
  run(args: Arguments, context: CommandContext): Promise<CommandResult> | CommandResult
}

export type ArgumentFault = { parameter: string; message: string }

/** Reads arguments by their declarations; refuses unknown, missing and ill-formed ones, all named in one error. */
export function readArguments(command: Command, given: Record<string, unknown>): Arguments {
  const faults: string[] = []
  const args: Arguments = Object.create(null)
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(command.parameters, name)) faults.push(`there is no parameter ${name}`)
  }
  for (const [name, parameter] of Object.entries(command.parameters)) {
    const value = given[name]
    if (value === undefined || value === '' || value === null) {
      if (parameter.required) faults.push(`${name} is needed: ${parameter.doc}`)
      continue
    }
    try {
      args[name] = read(parameter, value)
    } catch (error) {
      faults.push(`${name}: ${(error as Error).message}`)
    }
  }
  if (faults.length > 0) throw new StanzaError('bad-request', faults.join('; '))
  return args
}

function read(parameter: Parameter, value: unknown): unknown {
  switch (parameter.kind) {
    case 'jid':
      return Jid.parse(String(value))
    case 'jids':
      return (Array.isArray(value) ? value : String(value).split(/[\s,]+/))
        .filter((item) => item !== '')
        .map((item) => Jid.parse(String(item)))
    case 'lines':
      return Array.isArray(value) ? value.map(String) : String(value).split('\n')
    case 'integer':
      if (!/^-?\d{1,15}$/.test(String(value))) throw new Error('a whole number is wanted')
      return Number(value)
    case 'flag':
      if ([true, 'true', '1'].includes(value as string | true)) return true
      if ([false, 'false', '0'].includes(value as string | false)) return false
      throw new Error('true or false is wanted')
    case 'choice':
      if (!parameter.choices?.includes(String(value)))
        throw new Error(`one of ${parameter.choices?.join(', ')} is wanted`)
      return String(value)
    default:
      return String(value)
  }
}

/** Of all hosts, or of one; each name once */
export function commandsOf(server: Server, domain?: string): Command[] {
  const byName = new Map<string, Command>()
  for (const host of hostsOf(server, domain))
    for (const { offer } of host.offered('commands'))
      for (const command of offer) byName.set(command.name, command)
  return [...byName.values()]
}

/** Whose command and with what */
export interface Order {
  readonly domain: string | undefined
  readonly name: string
  readonly args: Record<string, unknown>
  readonly by: Jid | undefined
}

export async function runCommand(
  server: Server,
  { domain, name, args, by }: Order,
): Promise<CommandResult> {
  const hosts = hostsOf(server, domain)
  if (hosts.length === 0) throw new StanzaError('item-not-found', `there is no host ${domain}`)
  for (const host of hosts) {
    const command = commandOf(host, name)
    if (command) return command.run(readArguments(command, args), { host, by })
  }
  throw new StanzaError('item-not-found', `there is no command '${name}'`)
}

function hostsOf({ hosts }: Server, domain: string | undefined): Host[] {
  return [...hosts.values()].filter((host) => domain === undefined || host.domain === domain)
}

function commandOf(host: Host, name: string): Command | undefined {
  for (const { offer } of host.offered('commands'))
    for (const command of offer) if (command.name === name) return command
  return undefined
}
