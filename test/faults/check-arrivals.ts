// What each device was given: twice, out of order, under which id, and what never came (I4, I7, I9,
// I10).

import type { History, Reception } from './chronicle.js'
import type { ArchiveFindings, Kept } from './check-archives.js'
import type { Fate, Fates } from './fates.js'

export interface ArrivalFindings {
  readonly neverArrived: number
  readonly arrivedByArchiveOnly: number
  readonly duplicatedRaw: number
  readonly duplicatedWithoutCrash: number
  readonly duplicatedAfterDedupe: number
  readonly reorderedLive: number
  readonly unlikeArchive: number
  readonly phantom: number
  readonly strangeIds: number
}

interface Seen {
  ids: Set<string>
  onStream: number
}

export function checkArrivals(
  history: History,
  fates: Fates,
  archives: ArchiveFindings,
): ArrivalFindings {
  const owners = new Map(history.devices.map(({ name, owner }) => [name, owner]))
  const reader = new ArrivalReader(fates, (device) => archives.kept.get(owners.get(device) ?? ''))
  for (const event of history.events) if (event.op === 'recv') reader.receive(event)
  const missing = reader.missing(history, archives)
  return { ...reader.sum, strangeIds: reader.sum.strangeIds + archives.repeatedIds, ...missing }
}

class ArrivalReader {
  readonly sum = {
    duplicatedRaw: 0,
    duplicatedWithoutCrash: 0,
    duplicatedAfterDedupe: 0,
    reorderedLive: 0,
    unlikeArchive: 0,
    phantom: 0,
    strangeIds: 0,
  }
  readonly #messages: ReadonlyMap<string, Fate>
  readonly #archive: (device: string) => Kept | undefined
  /** By device and message */
  readonly #seen = new Map<string, Map<string, Seen>>()
  /** stream, boot and message */
  readonly #once = new Set<string>()
  /** By stream and sending device */
  readonly #lastOrder = new Map<string, number>()
  /** By stream */
  readonly #lastPlace = new Map<string, number>()

  constructor({ messages }: Fates, archive: (device: string) => Kept | undefined) {
    this.#messages = messages
    this.#archive = archive
  }

  receive(event: Reception): void {
    const fate = this.#messages.get(event.mid)
    if (!fate || !event.sound) this.sum.phantom++
    if (!fate) return
    const known = this.#device(event.device).get(event.mid)
    const seen = known ?? { ids: new Set(), onStream: 0 }
    this.#device(event.device).set(event.mid, seen)
    this.#identify(event, seen)
    if (event.via === 'archive') return
    if (seen.onStream++ > 0) this.sum.duplicatedRaw++
    this.#repeated(event)
    if (!known) this.#inOrder(event, fate)
  }

  /** A message without an id cannot be told from its double. */
  #identify(event: Reception, seen: Seen): void {
    const nameless = event.stanzaId === undefined
    const id = event.stanzaId ?? `none ${seen.onStream}`
    if (!seen.ids.has(id) && seen.ids.size > 0) this.sum.duplicatedAfterDedupe++
    seen.ids.add(id)
    if (nameless || this.#archive(event.device)?.mids.get(id) === event.mid) return
    this.sum.strangeIds++
  }

  #repeated({ stream, boot, mid, stanzaId }: Reception): void {
    const key = `${stream} ${boot} ${mid} ${stanzaId}`
    if (this.#once.has(key)) this.sum.duplicatedWithoutCrash++
    this.#once.add(key)
  }

  #inOrder({ stream, device, mid }: Reception, fate: Fate): void {
    const road = `${stream} ${fate.device}`
    if (fate.order < (this.#lastOrder.get(road) ?? -1)) this.sum.reorderedLive++
    else this.#lastOrder.set(road, fate.order)
    const place = this.#archive(device)?.place.get(mid)
    if (place === undefined) return
    if (place < (this.#lastPlace.get(stream) ?? -1)) this.sum.unlikeArchive++
    else this.#lastPlace.set(stream, place)
  }

  /** Owed is what was acknowledged or is in the recipient's archive. */
  missing({ devices }: History, { kept }: ArchiveFindings) {
    let neverArrived = 0
    let arrivedByArchiveOnly = 0
    const settled = group(devices)
    for (const fate of this.#messages.values()) {
      const promised = fate.acked !== undefined && fate.refused === undefined
      if (!promised && !kept.get(fate.to)?.place.has(fate.mid)) continue
      const seen = (settled.get(fate.to) ?? []).map((name) => this.#device(name).get(fate.mid))
      if (seen.some((each) => each === undefined)) neverArrived++
      else if (seen.some((each) => each!.onStream === 0)) arrivedByArchiveOnly++
    }
    return { neverArrived, arrivedByArchiveOnly }
  }

  #device(name: string): Map<string, Seen> {
    const known = this.#seen.get(name)
    if (known) return known
    const fresh = new Map<string, Seen>()
    this.#seen.set(name, fresh)
    return fresh
  }
}

/** The settled devices of each owner */
function group(devices: History['devices']): Map<string, string[]> {
  const owners = new Map<string, string[]>()
  for (const { name, owner, settled } of devices) {
    if (settled) owners.set(owner, [...(owners.get(owner) ?? []), name])
  }
  return owners
}
