// PostgreSQL is there and does not answer: it hangs, somebody else holds its tables, or its answers are
// lost on the way, so that nobody knows what was committed. Nothing is acknowledged meanwhile that is not kept.

import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { processTree } from '../../bench/measure.js'
import type { Remarks } from './kill.js'
import type { Stage } from './stage.js'
import { troubles } from './trouble.js'

/** Below and above the limits of statements (30 s) and of what waits for them (35 s) */
const STOPPED_MS = { least: 20_000, most: 40_000 }
const LOCKED_MS = 20_000
const CUTS = { times: 5, apartMs: 1500, mostMs: 100 }

/** SIGSTOP to all its processes; connections to it stand, and new ones are taken and not answered. */
export function postgresStops(stage: Stage): Promise<Remarks> {
  const shell = stage.postgres!.pid
  let stopped: number[] = []
  return troubles(stage, () => ({
    ms: stage.draw.whole(STOPPED_MS.least, STOPPED_MS.most),
    begin: () => {
      stopped = processTree([shell]).filter((pid) => pid !== shell)
      for (const pid of stopped) signal(pid, 'SIGSTOP')
    },
    end: () => {
      for (const pid of stopped) signal(pid, 'SIGCONT')
    },
  }))
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it was just ending
  }
}

const LOCK_ALL = `do $$
declare name text;
begin
  for name in select format('%I.%I', schemaname, tablename) from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
  loop execute 'lock table ' || name || ' in access exclusive mode'; end loop;
end $$`

/** As by a `vacuum full` or a backup that waits: each statement of a node waits, until none is left to wait. */
export function postgresLocked(stage: Stage): Promise<Remarks> {
  const client = () => new pg.Client(stage.grounds.database!)
  let holder = client()
  return troubles(stage, () => ({
    ms: LOCKED_MS,
    begin: async () => {
      holder = client()
      await holder.connect()
      await holder.query('begin')
      await holder.query(LOCK_ALL)
    },
    end: () => holder.end(),
  }))
}

/** Again and again all connections of a node are cut when its statements were done and the answers under way. */
export function commitsUnknown(stage: Stage): Promise<Remarks> {
  const { draw } = stage
  return troubles(stage, (node) => ({
    ms: 0,
    begin: async () => {
      for (let cut = 0; cut < CUTS.times; cut++) {
        await pause(draw.whole(0, CUTS.apartMs))
        for (const line of node.lines.postgres) line.cutUnanswered(draw.whole(5, CUTS.mostMs))
      }
    },
    end: () => {},
  }))
}
