// Who is in a room after its owner changed, a node ended, or something did not arrive: what the database has and
// what the nodes say of their sessions is united. A session of a node that is gone stays where somebody may
// take it up again; who does not is shown as gone (XEP-0045 §12.1, 333).

import type { Member } from '../../../lib/cluster/cluster.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { goOut } from '../going.js'
import type { Census, Counted } from './words.js'
import { isAt, type Occupant, type Visitor, visitorOf } from '../occupants.js'
import { unavailable, userElement } from '../presences.js'
import type { Room } from '../room.js'
import { roleOf } from '../standing.js'
import { showOthers, showPresent } from '../telling.js'

/** Milliseconds: what an owner that died decided last may not have reached everybody. */
const UNHEARD = 5000
/** By which clocks of nodes may differ */
const MARGIN = 3000
/** LIM-awaited-visitors: of one room, asked about at a time */
export const AT_ONCE = 20
/** LIM-shown-again: occupants that a new owner shows to everybody again */
export const MOST_AGAIN = 100

type Ask = (room: string, epoch: number) => Promise<Answers>

export interface Answers {
  readonly given: readonly { readonly member: Member; readonly census: Census }[]
  readonly silent: readonly string[]
}

/** By a new owner, before anybody hears from it */
export async function gather(room: Room, ask: Ask): Promise<void> {
  const { given, silent } = await ask(room.jid.text, room.epoch)
  const there = new Set<string>()
  for (const { member, census } of given) {
    for (const address of census.pending) there.add(address)
    for (const counted of census.guests) {
      there.add(counted.address)
      place(room, member, counted)
    }
    if (census.guests.length > 0) tellNewest(room, member.node)
  }
  const missing = ({ jid, node }: Visitor): boolean =>
    !there.has(jid.text) && !silent.includes(node)
  const settled = settle(room, strangers(room, missing))
  room.venue.host.server.pending(settled)
  showAgain(room)
}

/** What a node says of its own, in the room's lane */
export async function take(room: Room, member: Member, census: Census): Promise<undefined> {
  const there = new Set(census.pending)
  for (const counted of census.guests) {
    there.add(counted.address)
    const visitor = place(room, member, counted)
    if (visitor) catchUp(room, visitor, census)
  }
  if (census.whole) {
    const missing = ({ jid, node }: Visitor): boolean =>
      node === member.node && !there.has(jid.text)
    room.venue.host.server.pending(decide(room, strangers(room, missing)))
    tellNewest(room, member.node)
  }
}

/** Of a node that is gone, or who was awaited before */
export function settleThose(room: Room, which: (visitor: Visitor) => boolean): Promise<void> {
  return settle(room, strangers(room, which))
}

interface Placed {
  readonly occupant: Occupant
  readonly visitor: Visitor
}

function strangers(room: Room, which: (visitor: Visitor) => boolean): Placed[] {
  return [...room.occupants.all()].flatMap((occupant) =>
    occupant.visitors
      .filter((visitor) => visitor.node !== '' && which(visitor))
      .map((visitor) => ({ occupant, visitor })),
  )
}

function tellNewest({ venue, jid, epoch, logNumber, newest }: Room, node: string): void {
  const word = { is: 'newest', log: logNumber, newest } as const
  venue.guests.tell({ room: jid.text, epoch }, word, node)
}

/** Undefined where it cannot be in the room, and was told so. */
function place(room: Room, member: Member, counted: Counted): Placed | undefined {
  const jid = Jid.parse(counted.address)
  const occupant = room.occupants.of(jid)
  const visitor = occupant && visitorOf(occupant, jid)
  if (!visitor) return placeAnew(room, member, counted)
  const same = visitor.node === member.node && visitor.life === member.life
  isAt(visitor, member)
  if (!same) room.remember(occupant, visitor)
  return { occupant, visitor }
}

/** That it is here was not on disk yet when the owner died. */
function placeAnew(room: Room, member: Member, counted: Counted): Placed | undefined {
  const jid = Jid.parse(counted.address)
  const affiliation = room.affiliationOf(jid)
  const there = room.occupants.byNick(counted.nick)
  const others = room.occupants.like(counted.nick).some(({ account }) => !account.equals(jid.bare))
  const mayNot = affiliation === 'outcast' || others
  if (mayNot || counted.presence === '') return void tellGone(room, member, counted)
  const presence = Stanza.parse(counted.presence)
  const visitor: Visitor = { jid, node: member.node, life: member.life, presence }
  const occupant: Occupant = there ?? {
    jid: room.jid.withResource(counted.nick),
    account: jid.bare,
    role: roleOf(affiliation, room.settings),
    visitors: [visitor],
  }
  if (there) room.occupants.join(there, visitor)
  else room.occupants.add(occupant)
  room.remember(occupant, visitor)
  showPresent(room, occupant)
  return { occupant, visitor }
}

/** §7.2.18 */
function tellGone(room: Room, { node }: Member, { address, nick }: Counted): void {
  const jid = Jid.parse(address)
  const stanza = unavailable().with({
    append: userElement({ affiliation: room.affiliationOf(jid), role: 'none' }, [110, 333]),
  })
  room.send(stanza, room.jid.withResource(nick), [{ jid, node, presence: stanza }])
  room.venue.guests.tell({ room: room.jid.text, epoch: room.epoch }, { is: 'out', address }, node)
}

/** It was away for a while: what is different since, and then what was said. */
function catchUp(room: Room, placed: Placed, { since }: Census): void {
  const { occupant, visitor } = placed
  const then = since - MARGIN
  for (const { nick, account } of room.changes.goneSince(then))
    if (!room.occupants.byNick(nick))
      room.send(goneElement(room, account), nickOf(room, nick), [visitor])
  const isNew = room.changes.isNew(occupant.jid.resource, then)
  // He may have come to moderate meanwhile (new-moderators.ts).
  const seesMore = isNew && occupant.role === 'moderator'
  showOthers(room, placed, ({ jid }) => seesMore || room.changes.isNew(jid.resource, then))
  if (isNew) showPresent(room, occupant, { to: [visitor], ownOnly: true })
  room.welcome(occupant, visitor)
}

function goneElement(room: Room, account: Jid): Stanza {
  const affiliation = room.affiliationOf(account)
  return unavailable().with({ append: userElement({ affiliation, role: 'none' }) })
}

function nickOf(room: Room, nick: string): Jid {
  return room.jid.withResource(nick)
}

/** What an owner that is gone decided last, once more */
function showAgain(room: Room): void {
  const then = room.venue.host.clock.now() - UNHEARD
  for (const { nick, account } of room.changes.goneSince(then))
    if (!room.occupants.byNick(nick)) room.sendToAll(goneElement(room, account), nickOf(room, nick))
  const late = [...room.occupants.all()].filter(({ jid }) => room.changes.isNew(jid.resource, then))
  for (const occupant of late.slice(0, MOST_AGAIN)) showPresent(room, occupant)
}

/** Their node is gone: they hear nothing from now on. */
function settle(room: Room, placed: readonly Placed[]): Promise<void> {
  for (const { visitor } of placed) visitor.away = true
  return decide(room, placed)
}

/** Who is in no node's list, and is not awaited, is gone as soon as that is known. */
async function decide(room: Room, placed: readonly Placed[]): Promise<void> {
  for (let at = 0; at < placed.length && !room.destroyed; at += AT_ONCE) {
    const some = placed.slice(at, at + AT_ONCE)
    const known = await Promise.all(
      some.map(async ({ occupant, visitor }) => {
        const { node, life = '' } = visitor
        return { occupant, visitor, node, life, fate: await fateOf(room, visitor) }
      }),
    )
    await room.lane.alone(() => takeFates(room, known))
  }
}

async function takeFates(
  room: Room,
  known: readonly (Placed & Member & { readonly fate: Fate })[],
): Promise<undefined> {
  for (const { occupant, visitor, node, life, fate } of known) {
    if (room.destroyed) return
    // It may have left meanwhile, or its node has said where it is.
    if (!occupant.visitors.includes(visitor)) continue
    if (visitor.node !== node || (visitor.life ?? '') !== life) continue
    if (fate === 'awaited') visitor.away = true
    else if (fate === 'gone') await goOut(room, { occupant, visitor }, { codes: [333] })
    else {
      isAt(visitor, fate)
      room.remember(occupant, visitor)
      tellNewest(room, fate.node)
    }
  }
}

/** It is in the room there; somebody may take it up; or nobody can. */
type Fate = Member | 'awaited' | 'gone'

async function fateOf(room: Room, { jid, life = '' }: Visitor): Promise<Fate> {
  const { host, headcount } = room.venue
  const own = host.server.hosts.get(jid.domain)
  if (!own) return 'gone'
  const { members, directory } = host.server
  try {
    const places = await directory.lookup(jid.bare.text)
    const there = places.find(
      (place) => place.resource === jid.resource && members.lifeOf(place.node) !== undefined,
    )
    const { node = '' } = there ?? {}
    const asked = there && headcount.find(node, room.jid.text, jid.text)
    const found = await asked?.catch(() => 'silent' as const)
    if (found === 'silent') return 'awaited'
    // Whoever has its address has it, with its place in the room or without.
    if (found === 'bound') return 'gone'
    if (found === 'in') return { node, life: members.lifeOf(node) ?? '' }
    const number = await own.numberOf(jid)
    for (const { offer } of own.offered('awaited'))
      if (await offer({ jid, number, life })) return 'awaited'
  } catch (error) {
    host.failed('rooms', error)
    return 'awaited'
  }
  return 'gone'
}
