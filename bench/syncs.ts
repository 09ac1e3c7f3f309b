// How often a server makes the disk write, counted by strace in a run of its own, because being
// watched costs: strace is told to stop the server at these calls only, but each stop takes its
// time. What goes to a write-ahead log is a group of messages; the rest is tidying up.
import { readFileSync } from 'node:fs'
import type { Outcome } from './job.js'
import { hasProgram } from './programs.js'

export const canTrace = hasProgram('strace')

/** Goes before a command and becomes the command. */
export function tracing(file: string): string[] {
  const what = ['-e', 'trace=fsync,fdatasync', '-e', 'signal=none']
  return ['strace', '-D', '-q', '-f', '--seccomp-bpf', '-ttt', '-y', ...what, '-o', file]
}

const CALL = /^\d+ +(\d+\.\d+) f(?:data)?sync\(\d+<([^>]*)>/gm
const LOG = /-wal$|\/pg_wal\//

export type Syncs = { syncsPerThousand: number; groupsPerThousand: number; groups: number }

/** Those of the time that was measured, for a thousand messages. */
export function countSyncs(files: readonly string[], outcome: Outcome): Syncs | undefined {
  const { span, figures } = outcome
  if (span === undefined || !figures.delivered) return undefined
  const calls = files
    .flatMap((file) => [...readFileSync(file, 'latin1').matchAll(CALL)])
    .map(([, at, path]) => ({ at: Number(at) * 1000, path: path ?? '' }))
    .filter(({ at }) => at >= span.began && at <= span.ended)
  const groups = calls.filter(({ path }) => LOG.test(path)).length
  const perThousand = (count: number) => (count * 1000) / figures.delivered!
  return {
    syncsPerThousand: perThousand(calls.length),
    groupsPerThousand: perThousand(groups),
    groups,
  }
}
