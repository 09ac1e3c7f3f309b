// What `tercet help` says: the verbs, and for each its flags. Commands of modules are listed where a
// server runs that can be asked.

import type { CommandDescription } from '../lib/core/control-verbs.js'
import { exitCodes, exitMeanings } from './exit-codes.js'
import { commonFlags } from './flags.js'
import type { Flag } from './flags.js'
import { columnWidth } from './table.js'
import type { Terminal } from './terminal.js'
import { verbs } from './verbs.js'
import type { Verb } from './verbs.js'

export async function printHelp(terminal: Terminal): Promise<number> {
  terminal.out('tercet: an XMPP chat server\n')
  list(
    terminal,
    verbs.map(({ name, words, summary }) => [[name, words].filter(Boolean).join(' '), summary]),
  )
  const remote = await runningCommands()
  terminal.out('')
  if (remote.length > 0)
    list(
      terminal,
      remote.map(({ name, summary }) => [name, summary]),
    )
  else
    terminal.out(
      'While a server runs there are the commands of its modules too: tercet user add, …',
    )
  terminal.out('\ntercet COMMAND --help says more. Exit codes:\n')
  list(terminal, Object.entries(exitMeanings))
  return exitCodes.ok
}

async function runningCommands(): Promise<readonly CommandDescription[]> {
  const { parseFlags } = await import('./flags.js')
  const { fetchCommands } = await import('./commands/remote.js')
  return fetchCommands(parseFlags([], [])).catch(() => [])
}

export async function printVerb(verb: Verb, terminal: Terminal): Promise<number> {
  printUsage(terminal, {
    usage: [verb.name, verb.words].filter(Boolean).join(' '),
    summary: verb.summary,
    flags: verb.flags,
  })
  return exitCodes.ok
}

export function printUsage(
  terminal: Terminal,
  about: { usage: string; summary: string; flags: readonly Flag[] },
): void {
  terminal.out(`tercet ${about.usage} [flags]\n\n${about.summary}.\n`)
  list(
    terminal,
    [...about.flags, commonFlags.help].map((flag) => [showFlag(flag), flag.doc]),
  )
}

export function showFlag({ name, takes }: Flag): string {
  return takes === undefined ? `--${name}` : `--${name} ${takes}`
}

function list(terminal: Terminal, rows: readonly (readonly [string, string] | string[])[]): void {
  const width = Math.max(...rows.map(([name = '']) => columnWidth(name)))
  for (const [name = '', doc = ''] of rows)
    terminal.out(`  ${terminal.style('bold', name.padEnd(width))}  ${doc}`)
}
