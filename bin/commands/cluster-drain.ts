// tercet cluster drain [NODE]: the clients of a node move to the others. Waits until none is left; the node
// itself stays until it is stopped, or takes clients again with --undo.

import { setTimeout as pause } from 'node:timers/promises'
import type { Row } from '../../lib/core/commands.js'
import { askServer } from '../../lib/core/control-client.js'
import { duration } from '../../lib/ops/options.js'
import { UsageError, exitCodes } from '../exit-codes.js'
import type { Parsed } from '../flags.js'
import { dataFolder } from '../source.js'
import type { Terminal } from '../terminal.js'
import type { Run } from '../verbs.js'

const within = duration({ default: '10 seconds', max: '1 hour', doc: 'Over how long it is spread' })

/** Milliseconds */
const LOOK = 500
/** What streams may take to end, beside the time over which they are spread */
const GRACE = 30_000

export const run: Run = async (parsed, terminal) => {
  const folder = await dataFolder(parsed)
  const [node] = parsed.words
  const undo = parsed.flag('undo')
  const args = { ...(node !== undefined && { node }), ...(undo ? { undo } : spreadOf(parsed)) }
  const begun = (await askServer(folder, { command: 'cluster drain', args })) as Row[]
  const nodes = begun.map((row) => String(row.node))
  const longest = Math.max(...begun.map(({ ms }) => Number(ms)))
  const left = undo ? [] : await waitFor(folder, nodes, longest + GRACE)
  tell(terminal, parsed, { nodes, left, undo })
  return left.length === 0 ? exitCodes.ok : exitCodes.failed
}

function spreadOf(parsed: Parsed): { spread?: number } {
  const text = parsed.value('within')
  if (text === undefined) return {}
  try {
    return { spread: within.read(text) }
  } catch (error) {
    throw new UsageError(`--within: ${(error as Error).message}`)
  }
}

/** Gives the nodes that have clients still. */
async function waitFor(folder: string, nodes: readonly string[], ms: number): Promise<string[]> {
  for (const limit = Date.now() + ms; ; await pause(LOOK)) {
    const rows = (await askServer(folder, { command: 'cluster status', args: {} })) as Row[]
    const draining = rows.filter(({ phase }) => phase === 'draining')
    const left = nodes.filter((node) => draining.some((row) => row.node === node))
    if (left.length === 0 || Date.now() > limit) return left
  }
}

interface Outcome {
  readonly nodes: readonly string[]
  readonly left: readonly string[]
  readonly undo: boolean
}

function tell(terminal: Terminal, parsed: Parsed, { nodes, left, undo }: Outcome): void {
  const phase = (node: string): string =>
    undo ? 'running' : left.includes(node) ? 'draining' : 'drained'
  if (parsed.flag('json')) {
    const rows = nodes.map((node) => ({ node, phase: phase(node) }))
    terminal.out(JSON.stringify(rows, undefined, 2))
    return
  }
  const words: Record<string, string> = {
    running: 'takes clients again',
    draining: 'has clients still',
    drained: 'is drained: it can be stopped',
  }
  for (const node of nodes) terminal.out(`${node} ${words[phase(node)]}`)
}
