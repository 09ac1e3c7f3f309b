// `tercet cluster`: what the control socket answers about all nodes, whatever node it belongs to.

import { StanzaError } from '../xmpp/errors.js'
import type { Row } from './commands.js'
import { SPREAD } from './draining.js'
import type { NodeState } from './node-state.js'
import type { Server } from './server.js'

const SHORT = 8
/** Milliseconds that a drain may take at most */
const LONGEST = 3_600_000

type Arguments = Readonly<Record<string, unknown>>

export function clusterVerbs(server: Server): Record<string, (args: Arguments) => unknown> {
  return {
    'cluster status': () => clusterStatus(server),
    'cluster drain': (args) => drain(server, args),
  }
}

export async function clusterStatus({ members, operation }: Server): Promise<Row[]> {
  const states = await operation.states()
  const rows = members.all().map(({ node, life }) => {
    const state = states.find((one) => one.node === node)
    return state ? rowOf(state) : silent(node, life)
  })
  return rows.sort((one, other) => (String(one.node) < String(other.node) ? -1 : 1))
}

function rowOf(state: NodeState): Row {
  const { node, life, version, since, sessions, streams, phase, ahead, configuration } = state
  return {
    node,
    life: life.slice(0, SHORT),
    version,
    since: new Date(since).toISOString(),
    sessions,
    streams,
    phase,
    clock_ms: ahead,
    configuration,
    problems: state.problems.filter((problem) => problem !== phase),
  }
}

function silent(node: string, life: string): Row {
  return { node, life: life.slice(0, SHORT), phase: 'no answer' }
}

/** One node, or all workers of one machine. */
async function drain(server: Server, args: Arguments): Promise<Row[]> {
  const { operation, members, settings } = server
  const named =
    args.node === undefined ? machineOf(members.self.node, settings.workers) : String(args.node)
  const nodes = nodesNamed(
    members.all().map(({ node }) => node),
    named,
  )
  if (nodes.length === 0)
    throw new StanzaError('item-not-found', `there is no node ${named}: see tercet cluster status`)
  if (args.undo === true) return each(nodes, (node) => operation.drain(node, { undo: true }))
  const spread = args.spread === undefined ? SPREAD : Number(args.spread)
  if (!(spread >= 0 && spread <= LONGEST))
    throw new StanzaError('bad-request', 'the time to spread it over is at most an hour')
  const states = await operation.states()
  if (!states.some(({ node, phase }) => phase === 'running' && !nodes.includes(node)))
    throw new StanzaError('not-allowed', 'no other node is there to take the clients')
  return each(nodes, (node) => operation.drain(node, { spread }))
}

/** The name that workers of a machine have in common, or the node's own */
export function machineOf(node: string, workers = 1): string {
  return workers > 1 ? node.replace(/-\d+$/, '') : node
}

export function nodesNamed(nodes: readonly string[], name: string): string[] {
  if (nodes.includes(name)) return [name]
  return nodes.filter(
    (node) => node.startsWith(`${name}-`) && /^\d+$/.test(node.slice(name.length + 1)),
  )
}

async function each(
  nodes: readonly string[],
  act: (node: string) => Promise<number>,
): Promise<Row[]> {
  return Promise.all(nodes.map(async (node) => ({ node, ms: await act(node) })))
}
