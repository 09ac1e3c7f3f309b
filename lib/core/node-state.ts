// What a node says of itself to those who run the cluster, and to the other nodes.

import { version } from '../ops/version.js'
import { fingerprint, type Prints } from './fingerprint.js'
import type { Server } from './server.js'

export interface NodeState {
  readonly node: string
  readonly life: string
  readonly version: string
  /** Milliseconds since 1970 */
  readonly since: number
  readonly sessions: number
  readonly streams: number
  readonly phase: Phase
  /** Milliseconds that its clock is ahead of the database's; null where it has not been measured */
  readonly ahead: number | null
  readonly configuration: string
  readonly prints: Prints
  /** Why it does not want new clients */
  readonly problems: readonly string[]
}

export type Phase = 'starting' | 'running' | 'draining' | 'drained' | 'stopping' | 'fenced'

/** What only the node's own operation knows */
export type Own = Pick<NodeState, 'since' | 'phase' | 'ahead' | 'prints' | 'problems'>

export function stateOf({ node, life, hosts, streams }: Server, own: Own): NodeState {
  const sessions = [...hosts.values()].reduce((sum, host) => sum + host.sessions.size, 0)
  const configuration = fingerprint(own.prints)
  return { node, life, version, sessions, streams: streams.size, configuration, ...own }
}

/**
 * What the nodes have in common: the prints of most of them, of those with the oldest where there are as many.
 */
export function agreed(states: readonly NodeState[]): Prints | undefined {
  const groups = new Map<string, NodeState[]>()
  for (const state of states)
    groups.set(state.configuration, [...(groups.get(state.configuration) ?? []), state])
  const oldest = (group: readonly NodeState[]): number =>
    Math.min(...group.map(({ since, ahead }) => since - (ahead ?? 0)))
  const [first] = [...groups.values()].sort(
    (one, other) =>
      other.length - one.length ||
      oldest(one) - oldest(other) ||
      (nameOf(one) < nameOf(other) ? -1 : 1),
  )
  return first?.[0]?.prints
}

function nameOf(group: readonly NodeState[]): string {
  return group.map(({ node }) => node).sort()[0]!
}
