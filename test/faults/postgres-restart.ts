// PostgreSQL restarted as by `pg_ctl restart -m immediate` under load (F07): the server stays, says
// that it cannot store where it cannot, and carries on by itself.

import { loadedMoment, type Remarks } from './kill.js'
import { type Stage, until } from './stage.js'

const RECOVERY_LIMIT_MS = 30_000

export async function postgresRestarts(stage: Stage): Promise<Remarks> {
  const { arena, postgres, task } = stage
  const remarks = { notRecovered: 0, longestRecoveryMs: 0 }
  for (let time = 0; time < task.times; time++) {
    await loadedMoment(stage)
    arena.fault()
    await postgres!.crash()
    arena.allow(task.burst)
    const since = arena.now()
    if (!(await until(() => acknowledgedSince(stage, since), RECOVERY_LIMIT_MS)))
      remarks.notRecovered++
    const took = Math.round(arena.now() - since)
    remarks.longestRecoveryMs = Math.max(remarks.longestRecoveryMs, took)
  }
  return remarks
}

/** A message that was sent after that moment was acknowledged. */
export function acknowledgedSince({ arena }: Stage, since: number): boolean {
  const { events } = arena
  const sent = new Map<string, number>()
  for (let at = events.length - 1; at >= 0; at--) {
    const event = events[at]!
    if (event.t < since) break
    if (event.op === 'ack') sent.set(event.stream, Math.max(event.h, sent.get(event.stream) ?? 0))
    else if (event.op === 'send' && event.position <= (sent.get(event.stream) ?? 0)) return true
  }
  return false
}
