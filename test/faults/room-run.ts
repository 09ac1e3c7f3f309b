// `npm run faults -- --rooms 50`: people in rooms under load while something is done to the cluster
// (room-harms.ts) again and again. Whoever is on a node that lives must hear the next message soon, without
// entering again.

import { setTimeout as pause } from 'node:timers/promises'
import { Connection } from '../../bench/generator/connection.js'
import { ArchivePages } from './archive-pages.js'
import type { Row } from './chronicle.js'
import { PASSWORD } from './device.js'
import { Entrance } from './entrance.js'
import { checkRooms, type RoomFigures } from './room-check.js'
import { RoomCrowd } from './room-crowd.js'
import { roomHarms } from './room-harms.js'
import { Stage, until } from './stage.js'
import type { Task } from './task.js'

const LOAD_MS = { least: 1000, most: 4000 }
const QUIET_LIMIT_MS = 40_000
/** Who has just begun takes nothing over: it cannot know yet who else is there (membership.ts). */
const SURE_MS = 14_000

export interface RoomResult extends RoomFigures {
  readonly faults: number
  /** Milliseconds until everybody elsewhere was reached in each room, for each fault */
  readonly reached: readonly number[]
  readonly notReached: number
  readonly pingsFailed: number
  readonly resumed: number
  readonly rejoined: number
  readonly thrownOut: number
  readonly refusals: number
  readonly notSettled: number
  readonly refusedFor: Readonly<Record<string, number>>
  readonly broken: readonly string[]
}

const ZEROS = [
  ...(['lost', 'notShown', 'reordered', 'phantom', 'keptTwice', 'notReached'] as const),
  ...(['pingsFailed', 'notSettled'] as const),
]

export async function runRooms(task: Task, rooms: number): Promise<RoomResult> {
  const stage = await Stage.build(task)
  const crowd = new RoomCrowd(stage, rooms)
  try {
    await stage.open()
    await crowd.open()
    const struck = await strike(stage, crowd)
    const settled = await until(() => crowd.settled, QUIET_LIMIT_MS)
    await pause(1500)
    const pingsFailed = struck.pingsFailed + (await crowd.pingsFailed(() => true))
    const archives = new Map<string, Row[]>()
    for (const room of crowd.rooms) archives.set(room, await readRoom(stage, crowd, room))
    const { guests } = crowd
    const seen = guests.flatMap(({ name, stretches }) =>
      [...stretches].map(([room, list]) => ({ guest: name, room, stretches: list })),
    )
    const acknowledged = new Set(guests.flatMap((guest) => [...guest.acknowledged]))
    const sum = (of: 'resumed' | 'rejoined' | 'thrownOut' | 'refusals') =>
      guests.reduce((total, guest) => total + guest[of], 0)
    const refusedFor: Record<string, number> = {}
    const figures = {
      ...checkRooms(seen, archives, acknowledged),
      ...{ ...struck, faults: task.times, pingsFailed, notSettled: settled ? 0 : 1 },
      ...{ resumed: sum('resumed'), rejoined: sum('rejoined') },
      ...{ thrownOut: sum('thrownOut'), refusals: sum('refusals') },
    }
    for (const guest of guests)
      for (const [why, times] of guest.refusedFor) refusedFor[why] = (refusedFor[why] ?? 0) + times
    const broken: string[] = ZEROS.filter((name) => figures[name] !== 0)
    return { ...figures, refusedFor, broken }
  } finally {
    crowd.close()
    await stage.close()
    if (task.keep) process.stderr.write(`kept in ${stage.folder}\n`)
  }
}

/** In turn: after the first one all rooms are on the node that is struck next. */
async function strike(stage: Stage, crowd: RoomCrowd) {
  const { task, nodes, draw } = stage
  const reached: number[] = []
  let [notReached, pingsFailed] = [0, 0]
  let started = performance.now()
  const harm = roomHarms[task.what]
  if (!harm) throw new Error(`in rooms there is no ${task.what}`)
  for (let time = 0; time < task.times; time++) {
    await until(() => crowd.settled, QUIET_LIMIT_MS)
    if (nodes.all.length > 1) await pause(Math.max(0, SURE_MS - (performance.now() - started)))
    // Else all of them were where they came together.
    for (const guest of crowd.guests) if (draw.chance(0.5)) guest.cut()
    const stop = crowd.speak(task.rate)
    await pause(draw.whole(LOAD_MS.least, LOAD_MS.most))
    const node = nodes.all[time % nodes.all.length]!
    const { dead, limitMs, mend } = await harm(stage, crowd, node)
    const result = await crowd.reached(dead, limitMs)
    reached.push(result.longest)
    notReached += result.missing
    pingsFailed += await crowd.pingsFailed((guest) => guest.node !== dead && guest.ready)
    await mend()
    started = performance.now()
    stop()
  }
  return { reached, notReached, pingsFailed }
}

/** By somebody who is in it, over a connection of its own */
function readRoom(stage: Stage, crowd: RoomCrowd, room: string): Promise<Row[]> {
  const rows: Row[] = []
  const user = `u${crowd.guests.indexOf(crowd.guestsIn(room)[0]!)}`
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the archive of ${room}: ${why}`))
    let handled = 0
    const read = () => {
      const pages = new ArchivePages({
        after: undefined,
        to: room,
        send: (iq) => connection.write(iq),
        row: (row) => rows.push(row),
        done: (failure) => {
          connection.receiver = { stanza: () => {}, lost: () => {} }
          connection.close()
          if (failure === undefined) resolve(rows)
          else fail(failure)
        },
      })
      const stanza = (_: Connection, bytes: Buffer, start: number, end: number) => {
        const text = bytes.toString('latin1', start, end)
        if (/^<(message|presence|iq)\b/.test(text)) handled++
        if (text.startsWith('<r ')) connection.write(`<a xmlns='urn:xmpp:sm:3' h='${handled}'/>`)
        else pages.accept(text)
      }
      connection.receiver = { stanza, lost: (_, why) => fail(why) }
    }
    const credentials = { user, password: PASSWORD, resource: 'reader', modern: false }
    const nothing = () => {}
    const outcome = { resumed: nothing, refused: nothing, early: nothing, bound: read, lost: fail }
    const door = stage.nodes.doors.choose()
    const connection = new Connection(
      0,
      stage.target('tcp', door),
      new Entrance(credentials, undefined, outcome),
    )
  })
}

export function describeRooms(task: Task, rooms: number, result: RoomResult): string {
  const { broken, reached, refusedFor, ...rest } = result
  const sorted = [...reached].sort((a, b) => a - b)
  const figures = Object.entries(rest).map(([name, value]) => `${name} ${value}`)
  const median = sorted[sorted.length >> 1] ?? 0
  return [
    `tercet on ${task.store}, ${task.nodes} node(s): ${task.what} × ${task.times}, ${rooms} rooms`,
    `  ${figures.join(', ')}`,
    `  refused: ${JSON.stringify(refusedFor)}`,
    `  reached after: ${reached.join(' ')}; median ${median} ms, longest ${sorted.at(-1) ?? 0} ms`,
    `  ${broken.length === 0 ? 'as promised' : `BROKEN: ${broken.join(', ')}`}`,
  ].join('\n')
}
