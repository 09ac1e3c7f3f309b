// What is bounded while sessions come back to their rooms, and rooms to new owners: strangers decide how many there
// are, and how much is said meanwhile.

import { test } from 'tap'
import type { Host } from '../../../lib/core/host.js'
import type { Session } from '../../../lib/core/session.js'
import type { PageQuery } from '../../../lib/storage/message-log.js'
import type { Envelope } from '../../../lib/xmpp/envelope.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import {
  AT_ONCE,
  gather,
  MOST_AGAIN,
  settleThose,
} from '../../../modules/rooms/nodes/census-taking.js'
import { Changes, MOST_GONE } from '../../../modules/rooms/changes.js'
import type { Guests } from '../../../modules/rooms/nodes/guests.js'
import { Homecoming, MOST_CALLS } from '../../../modules/rooms/nodes/homecoming.js'
import { type Guest, Lodging, MOST_HELD } from '../../../modules/rooms/nodes/lodging.js'
import { Occupants, type Visitor } from '../../../modules/rooms/occupants.js'
import type { OwnedRooms } from '../../../modules/rooms/nodes/owned-rooms.js'
import type { Room } from '../../../modules/rooms/room.js'
import { RoomLane } from '../../../modules/rooms/room-lane.js'
import { standardSettings } from '../../../modules/rooms/settings.js'
import { DOMAIN } from '../../world/world.js'

const jid = Jid.parse(`orchard@rooms.${DOMAIN}`)
const SAID = 500

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function message(number: number): string {
  return `<message type='groupchat'><body>${number}</body></message>`
}

/** A room of which one session is behind, and gets what `got` has */
function behind() {
  const ids: number[] = []
  let opens = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    opens = resolve
  })
  const messages = {
    async page({ after = 0, before = 0, limit }: PageQuery) {
      await opened
      const found = ids.filter((id) => id > after && id < before)
      const page = found
        .slice(0, limit)
        .map((id) => ({ id, from: `${jid.text}/R`, text: message(id) }))
      return { messages: page, complete: found.length <= limit }
    },
  }
  const server = { pending: () => undefined, stopping: false }
  const host = {
    server,
    messages,
    failed: (_: string, error: unknown) => {
      throw error
    },
  }
  const place = { room: jid, log: 1, epoch: 1, shown: 0 }
  const lodging = new Lodging(host as unknown as Host, place, () => '')
  const got: string[] = []
  const address = Jid.parse(`romeo@${DOMAIN}/phone`)
  const write = ({ stanza }: Envelope) => got.push(stanza.text('body') ?? stanza.kind)
  const session = { jid: address, write } as unknown as Session
  const guest: Guest = { session, nick: 'Romeo', position: 0, held: [] }
  lodging.guests.set(address.text, guest)
  const says = (number: number): void => {
    ids.push(number)
    const stanza = Stanza.parse(message(number))
    const said = { stanza, from: jid.withResource('R'), number, previous: number - 1, arrived: 0 }
    lodging.said([said], [])
  }
  return { lodging, guest, got, says, opens }
}

test('for who is behind so much is held, and the rest is read again (LIM-held-for-guests)', async (t) => {
  const { lodging, guest, got, says, opens } = behind()
  const all = MOST_HELD + SAID
  says(1)
  const caughtUp = lodging.catchUp(guest, 1)
  // The database takes its time.
  for (let number = 2; number <= all; number++) says(number)
  t.equal(guest.held?.length, MOST_HELD)
  t.equal(guest.beyond, SAID)
  t.same(got, [], 'nothing yet')
  opens()
  await caughtUp
  const numbers = Array.from({ length: all }, (_, at) => String(at + 1))
  t.ok(got.join() === numbers.join(), 'everything once, in order')
  says(all + 1)
  t.equal(got.at(-1), String(all + 1), 'and then as it comes')
})

test('so many owners of rooms are called at a time (LIM-rooms-called)', async (t) => {
  const under: (() => void)[] = []
  const called: string[] = []
  const rooms = {
    count: ({ room }: { room: string }) => {
      called.push(room)
      return new Promise<boolean>((resolve) => under.push(() => resolve(true)))
    },
  }
  const census = (room: string) => ({ room })
  const host = { clock: { now: () => 0 }, server: { pending: () => undefined } }
  const homecoming = new Homecoming(
    host as unknown as Host,
    { lodgings: new Map(), census } as unknown as Guests,
    rooms as unknown as OwnedRooms,
  )
  const names = Array.from({ length: MOST_CALLS * 2 + 3 }, (_, at) => `r${at}@rooms.${DOMAIN}`)
  // Again and again, as where words are missing all the time
  for (let again = 0; again < 3; again++) for (const name of names) homecoming.countSoon(name)
  t.equal(under.length, MOST_CALLS)
  let most = 0
  for (let open = under.splice(0); open.length > 0; open = under.splice(0)) {
    most = Math.max(most, open.length)
    for (const answer of open) answer()
    await turn()
  }
  t.equal(most, MOST_CALLS)
  // What was asked for while it was under way is asked again, once.
  t.same([...new Set(called)], names)
  t.equal(called.length, names.length + MOST_CALLS)
})

/** A room with so many in it, each on the node that is named */
function crowded(size: number, node: string, more: object = {}): Room {
  const occupants = new Occupants()
  const presence = Stanza.parse('<presence/>')
  for (let at = 0; at < size; at++) {
    const visitor: Visitor = {
      jid: Jid.parse(`u${at}@${DOMAIN}/phone`),
      node,
      life: 'old',
      presence,
    }
    const account = visitor.jid.bare
    occupants.add({
      ...{ jid: jid.withResource(`n${at}`), account, role: 'participant' },
      visitors: [visitor],
    })
  }
  const limits = { mostOccupants: size, mostHistory: 0 }
  return {
    ...{ jid, occupants, epoch: 1, changes: new Changes(), lane: new RoomLane() },
    ...{ settings: standardSettings(limits), affiliationOf: () => 'none' },
    ...more,
  } as unknown as Room
}

test('of those whose node is gone so many are asked about at a time (LIM-awaited-visitors)', async (t) => {
  const under: (() => void)[] = []
  const lookup = () => new Promise<never[]>((resolve) => under.push(() => resolve([])))
  const own = { numberOf: async () => 1, offered: () => [{ offer: async () => true }] }
  const server = { hosts: new Map([[DOMAIN, own]]), members: {}, directory: { lookup } }
  const size = AT_ONCE * 2 + 5
  const room = crowded(size, 'node1', { venue: { host: { server } } })
  const settled = settleThose(room, () => true)
  const counts: number[] = []
  for (let open = under.splice(0); open.length > 0; open = under.splice(0)) {
    counts.push(open.length)
    for (const answer of open) answer()
    for (let turns = 0; turns < 5; turns++) await turn()
  }
  await settled
  t.same(counts, [AT_ONCE, AT_ONCE, 5])
  t.equal([...room.occupants.visitors()].filter(({ away }) => away).length, size)
})

test('a new owner shows so many again that were shown last (LIM-shown-again)', async (t) => {
  const shown = new Set<string>()
  const now = Date.UTC(2026, 0, 1)
  const host = { clock: { now: () => now }, server: { pending: () => undefined } }
  const room = crowded(MOST_AGAIN + 50, '', {
    venue: { host, features: [] },
    send: (_: Stanza, from: Jid) => shown.add(from.resource),
  })
  for (const { jid } of room.occupants.all()) room.changes.shown(jid.resource, now - 1000)
  await gather(room, async () => ({ given: [], silent: [] }))
  t.equal(shown.size, MOST_AGAIN)
})

test('a room remembers so many nicks that left (LIM-gone)', async (t) => {
  const changes = new Changes()
  const account = Jid.parse(`romeo@${DOMAIN}`)
  for (let at = 0; at < MOST_GONE + 10; at++) changes.gone({ nick: `n${at}`, account }, 1000 + at)
  const gone = [...changes.goneSince(0)]
  t.equal(gone.length, MOST_GONE)
  t.equal(gone[0]?.nick, 'n10', 'those that left first are forgotten')
})
