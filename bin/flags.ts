// Flags and words of a command line by their declarations. An unknown flag is refused with the nearest
// one; a flag that takes a value takes the next argument or what stands after `=`.

import { nearest } from '../lib/ops/nearest.js'
import { UsageError } from './exit-codes.js'

export interface Flag {
  readonly name: string
  readonly doc: string
  /** What its value is called; without one it takes none. */
  readonly takes?: string
  /** May be given several times */
  readonly many?: boolean
  readonly choices?: readonly string[]
}

export interface Parsed {
  /** All of it, as it was given */
  readonly given: readonly string[]
  readonly words: readonly string[]
  flag(name: string): boolean
  value(name: string): string | undefined
  values(name: string): readonly string[]
}

export const commonFlags = {
  config: {
    name: 'config',
    takes: 'FILE',
    doc: 'The configuration: default ./tercet.yaml, then /etc/tercet/tercet.yaml',
  },
  set: {
    name: 'set',
    takes: 'KEY=VALUE',
    many: true,
    doc: 'Sets one key over the configuration; may be repeated',
  },
  json: { name: 'json', doc: 'Prints JSON for scripts' },
  help: { name: 'help', doc: 'Says how the command is used' },
} as const satisfies Record<string, Flag>

export function parseFlags(args: readonly string[], flags: readonly Flag[]): Parsed {
  const words: string[] = []
  const found = new Map<string, string[]>()
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      words.push(...rest.splice(0))
    } else if (arg.startsWith('-') && arg !== '-') {
      const [name, value] = readFlag(arg, rest, flags)
      found.set(name, [...(found.get(name) ?? []), value])
    } else {
      words.push(arg)
    }
  }
  return {
    given: args,
    words,
    flag: (name) => found.has(name),
    value: (name) => found.get(name)?.at(-1),
    values: (name) => found.get(name) ?? [],
  }
}

function readFlag(arg: string, rest: string[], flags: readonly Flag[]): [string, string] {
  const [, written = '', given] = /^--?([^=]*)(?:=(.*))?$/s.exec(arg) ?? []
  const name = written === 'h' && arg === '-h' ? 'help' : written
  const flag = flags.find((known) => known.name === name)
  if (!flag || (arg.startsWith('-') && !arg.startsWith('--') && name !== 'help'))
    throw unknownFlag(arg, name, flags)
  if (flag.takes === undefined) {
    if (given !== undefined) throw new UsageError(`--${name} takes no value`)
    return [name, 'true']
  }
  const value = given ?? rest.shift()
  if (value === undefined) throw new UsageError(`--${name} wants a value: --${name} ${flag.takes}`)
  if (flag.choices && !flag.choices.includes(value)) {
    throw new UsageError(`--${name} is one of ${flag.choices.join(', ')}`)
  }
  return [name, value]
}

function unknownFlag(arg: string, name: string, flags: readonly Flag[]): UsageError {
  if (flags.some((flag) => flag.name === `${name}-stdin`)) {
    return new UsageError(
      `a ${name} is never an argument: leave it out to be asked, or use --${name}-stdin or --generate`,
    )
  }
  const near = nearest(
    name,
    flags.map((flag) => flag.name),
  )
  const hint = near === undefined ? 'see --help' : `did you mean --${near}?`
  return new UsageError(`there is no flag ${arg.split('=')[0]}: ${hint}`)
}
