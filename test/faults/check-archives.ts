// The archives, row by row: what is missing, there twice, out of order, never sent (I1-I4, I6).

import type { History, Row } from './chronicle.js'
import type { Fate, Fates } from './fates.js'

export interface Kept {
  /** Position of the first row of a message in an archive */
  readonly place: ReadonlyMap<string, number>
  readonly mids: ReadonlyMap<string, string>
  readonly twice: ReadonlySet<string>
}

export interface ArchiveFindings {
  readonly kept: ReadonlyMap<string, Kept>
  readonly twiceInArchive: number
  readonly reorderedInArchive: number
  readonly phantom: number
  /** Ids that stand for more than one row of an archive */
  readonly repeatedIds: number
}

export function checkArchives({ archives }: History, { messages }: Fates): ArchiveFindings {
  const kept = new Map<string, Kept>()
  const sum = { twiceInArchive: 0, reorderedInArchive: 0, phantom: 0, repeatedIds: 0 }
  for (const [owner, rows] of archives) {
    const found = readArchive(rows)
    kept.set(owner, found)
    sum.repeatedIds += rows.length - found.mids.size
    sum.twiceInArchive += rows.length - found.place.size
    sum.reorderedInArchive += disorder(found.place.keys(), messages)
    sum.phantom += rows.filter((row) => !belongs(row, owner, messages.get(row.mid))).length
  }
  return { kept, ...sum }
}

function readArchive(rows: readonly Row[]): Kept {
  const place = new Map<string, number>()
  const mids = new Map<string, string>()
  const twice = new Set<string>()
  rows.forEach(({ id, mid }, at) => {
    mids.set(id, mid)
    if (place.has(mid)) twice.add(mid)
    else place.set(mid, at)
  })
  return { place, mids, twice }
}

function belongs(row: Row, owner: string, fate: Fate | undefined): boolean {
  if (!fate || !row.sound) return false
  if (row.from !== fate.from || row.to !== fate.to) return false
  return owner === fate.from || owner === fate.to
}

/** Messages that come after a later one of the same device to the same recipient. */
function disorder(mids: Iterable<string>, messages: ReadonlyMap<string, Fate>): number {
  const last = new Map<string, number>()
  let count = 0
  for (const mid of mids) {
    const fate = messages.get(mid)
    if (!fate) continue
    const road = `${fate.device} ${fate.to}`
    const before = last.get(road) ?? -1
    if (fate.order < before) count++
    else last.set(road, fate.order)
  }
  return count
}
