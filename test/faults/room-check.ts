// What people saw in rooms against what the rooms' archives have: each stretch that somebody was in a room is a
// piece of its archive, without a gap, in its order (I8); what was acknowledged is there, once.

import type { Row } from './chronicle.js'
import type { Stretch } from './room-guest.js'

export interface Seen {
  readonly guest: string
  readonly room: string
  readonly stretches: readonly Stretch[]
}

export interface RoomFigures {
  readonly said: number
  readonly shown: number
  /** Acknowledged, and not in the archive */
  readonly lost: number
  /** In the archive, between what somebody saw before and after it, or after the last that he saw, and not seen */
  readonly notShown: number
  readonly reordered: number
  /** Seen, and not in the archive */
  readonly phantom: number
  /** More than once in an archive */
  readonly keptTwice: number
  /** The same id more than once on one stream: to be known by it */
  readonly again: number
}

export function checkRooms(
  seen: readonly Seen[],
  archives: ReadonlyMap<string, readonly Row[]>,
  acknowledged: ReadonlySet<string>,
): RoomFigures {
  const figures = { said: 0, shown: 0, lost: 0, notShown: 0, reordered: 0 }
  const more = { phantom: 0, keptTwice: 0, again: 0 }
  const kept = new Map<string, number>()
  for (const rows of archives.values())
    for (const { mid } of rows) kept.set(mid, (kept.get(mid) ?? 0) + 1)
  for (const times of kept.values()) if (times > 1) more.keptTwice++
  for (const mid of acknowledged) if (!kept.has(mid)) figures.lost++
  figures.said = kept.size
  for (const { room, stretches } of seen) {
    const places = new Map((archives.get(room) ?? []).map(({ id }, at) => [id, at]))
    for (const [at, stretch] of stretches.entries()) {
      const isLast = at === stretches.length - 1
      const result = checkStretch(stretch, places, isLast)
      figures.shown += stretch.seen.length
      figures.notShown += result.notShown
      figures.reordered += result.reordered
      more.phantom += result.phantom
      more.again += stretch.again
    }
  }
  return { ...figures, ...more }
}

function checkStretch(
  { seen }: Stretch,
  places: ReadonlyMap<string, number>,
  isLast: boolean,
): { notShown: number; reordered: number; phantom: number } {
  let [first, last, phantom, reordered] = [-1, -1, 0, 0]
  for (const { id } of seen) {
    const place = places.get(id)
    if (place === undefined) {
      phantom++
      continue
    }
    if (place < last) reordered++
    first = first < 0 ? place : Math.min(first, place)
    last = Math.max(last, place)
  }
  const end = isLast ? places.size - 1 : last
  const wanted = first < 0 ? 0 : end - first + 1
  return { notShown: wanted - (seen.length - phantom), reordered, phantom }
}
