// The lists of a room have versions (XEP-0463): who enters and says which one it knows is told what became of
// them since. A version is called by a keyed hash, so that nobody has one that he was not given; what came and
// went in between is not told, and of one that is not known any more the answer is everything.

import { createHmac } from 'node:crypto'
import { type Element, serialize, type Wire, xml } from '../../../lib/xmpp/element.js'
import type { JournalEntry } from '../../../lib/storage/journal.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { errorReply } from '../../../lib/xmpp/replies.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { AffiliationChangeStore, type ChangeRow } from './affiliation-change-store.js'
import type { Entrance, RoomFeature } from '../feature.js'
import { maySeeList } from './lists.js'
import type { Occupant } from '../occupants.js'
import { NS_MUC, NS_MUC_USER } from '../presences.js'
import type { Room } from '../room.js'
import { type Affiliation, isAtLeast } from '../standing.js'

export const NS_MAV = 'urn:xmpp:muc:affiliations:0'

/** LIM-affiliation-versions: changes of one room that are remembered */
export const MOST_CHANGES = 1000
/** Entries in one message of an answer */
const MOST_ITEMS = 500

const key = Symbol('versions of affiliations')

interface Known {
  readonly changes: ChangeRow[]
  /** Versions by name, as soon as somebody asks */
  readonly names: Map<string, number>
}

function knownOf({ memo }: Room): Known {
  let known = memo.get(key) as Known | undefined
  if (!known) memo.set(key, (known = { changes: [], names: new Map() }))
  return known
}

function currentOf(room: Room): number {
  return knownOf(room).changes.at(-1)?.version ?? 0
}

/** What version `number` is called */
function nameOf({ number, venue }: Room, version: number | string): string {
  const text = `affiliations\n${number}\n${version}`
  return createHmac('sha256', venue.secret).update(text).digest('base64url').slice(0, 22)
}

export interface Changed {
  readonly jid: Jid
  readonly before: Affiliation
  readonly after: Affiliation
}

export interface NewVersions {
  write(entry: JournalEntry): void
  written(): void
  /** §5.2.2: what stands beside the change of this one, '' for none */
  mark(jid: Jid): Wire
}

/** One for each change, in their order */
export function newVersions(room: Room, changed: readonly Changed[]): NewVersions {
  const current = currentOf(room)
  const rows = changed.map(({ jid, before, after }, at) => ({
    version: current + 1 + at,
    jid: jid.text,
    before,
    after,
  }))
  const from = current + rows.length - MOST_CHANGES + 1
  return {
    write(entry) {
      if (rows.length > 0) storeOf(room).add(entry, room.number, { rows, from })
    },
    written() {
      const { changes, names } = knownOf(room)
      names.clear()
      changes.push(...rows)
      while (changes.length > MOST_CHANGES) changes.shift()
    },
    mark(jid) {
      const row = rows.find((one) => one.jid === jid.text)
      if (!row) return ''
      return serialize(mav(nameOf(room, row.version - 1), nameOf(room, row.version)))
    },
  }
}

function mav(since: string | undefined, until: string): Element {
  return xml('mav', { xmlns: NS_MAV, since, until })
}

function storeOf({ venue }: Room): AffiliationChangeStore {
  return new AffiliationChangeStore(venue.host.database)
}

/** §5.2.3: the rules of the lists of XEP-0045 */
function maySee(room: Room, { account, role }: Occupant): boolean {
  const affiliation = room.affiliationOf(account)
  return (['member', 'admin', 'owner'] as const).every((list) =>
    maySeeList(room, list, { affiliation, role }),
  )
}

/** §5.2.1: before any presence */
function answer(room: Room, { occupant, visitor, stanza }: Entrance): void {
  const asked = stanza.child('x', NS_MUC)?.getChild('mav', NS_MAV)
  if (!asked) return
  if (!maySee(room, occupant)) {
    const text = `<message id='${room.venue.host.random.id()}'/>`
    room.send(errorReply(Stanza.parse(text), new StanzaError('forbidden')), room.jid, [visitor])
    return
  }
  const since = versionOf(room, asked.attrs.since)
  if (since === currentOf(room)) return
  const isAdmin = isAtLeast(room.affiliationOf(occupant.account), 'admin')
  for (const message of messages(room, { since, isAdmin })) room.send(message, room.jid, [visitor])
}

/** Undefined for one that is not known */
function versionOf(room: Room, name: unknown): number | undefined {
  if (typeof name !== 'string') return undefined
  const { changes, names } = knownOf(room)
  const oldest = (changes[0]?.version ?? 1) - 1
  if (names.size === 0)
    for (let version = oldest; version <= currentOf(room); version++)
      names.set(nameOf(room, version), version)
  return names.get(name)
}

interface Item {
  readonly jid: string
  readonly affiliation: Affiliation
}

function* messages(
  room: Room,
  { since, isAdmin }: { since: number | undefined; isAdmin: boolean },
): Generator<Stanza> {
  const changed = since === undefined ? [] : changedSince(room, since)
  const isFull = changed.length === 0
  const items = (isFull ? everything(room) : changed).flatMap((item) =>
    shown(item, isAdmin, isFull),
  )
  const current = currentOf(room)
  let from = isFull ? undefined : nameOf(room, since!)
  for (let at = 0; at === 0 || at < items.length; at += MOST_ITEMS) {
    const isLast = at + MOST_ITEMS >= items.length
    // One part after the other: what is between two of them is no version of its own.
    const until = nameOf(room, isLast ? current : `${current} ${at}`)
    yield message(room, items.slice(at, at + MOST_ITEMS), mav(from, until))
    from = until
  }
}

/** Who is banned is the admins' business (XEP-0045 §9.2). */
function shown(item: Item, isAdmin: boolean, isFull: boolean): readonly Item[] {
  if (isAdmin || item.affiliation !== 'outcast') return [item]
  return isFull ? [] : [{ ...item, affiliation: 'none' }]
}

function message(room: Room, items: readonly Item[], mark: Element): Stanza {
  const entries = items.map(({ jid, affiliation }) => xml('item', { jid, affiliation }))
  const id = room.venue.host.random.id()
  return Stanza.of(xml('message', { id }, xml('x', NS_MUC_USER, mark, ...entries)))
}

function everything({ affiliations }: Room): Item[] {
  return [...affiliations.all()].map(({ jid, affiliation }) => ({ jid: jid.text, affiliation }))
}

/** §6: what it comes to, not what was meanwhile */
function changedSince(room: Room, since: number): Item[] {
  const net = new Map<string, { before: Affiliation; after: Affiliation }>()
  for (const { version, jid, before, after } of knownOf(room).changes)
    if (version > since) net.set(jid, { before: net.get(jid)?.before ?? before, after })
  return [...net].flatMap(([jid, { before, after }]) =>
    before === after ? [] : { jid, affiliation: after },
  )
}

export const affiliationVersions: RoomFeature = {
  name: 'versions of affiliations',
  features: () => [NS_MAV],
  entering: answer,
  mark: (room, occupant) =>
    maySee(room, occupant) ? serialize(mav(undefined, nameOf(room, currentOf(room)))) : '',
  async taken(room) {
    knownOf(room).changes.push(...(await storeOf(room).list(room.number)))
  },
  destroyed: (room, entry) => storeOf(room).remove(entry, room.number),
}
