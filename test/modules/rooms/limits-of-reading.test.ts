// What is read at a time about rooms, and who is named or told at a time, is bounded.

import { test } from 'tap'
import type { Host } from '../../../lib/core/host.js'
import type { PageQuery } from '../../../lib/storage/message-log.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { activity, MOST_READ } from '../../../modules/rooms/said/activity.js'
import { Affiliations } from '../../../modules/rooms/affiliations.js'
import { Channels, MOST_CHANNELS } from '../../../modules/rooms/finding/channels.js'
import type { Spoken } from '../../../modules/rooms/feature.js'
import { memberships, MOST_ROOMS } from '../../../modules/rooms/people/memberships.js'
import { MentionStore, MOST_KEPT } from '../../../modules/rooms/said/mention-store.js'
import { mentioned, MOST_BY_ID, MOST_NAMED } from '../../../modules/rooms/said/mentioned.js'
import { mentions, MOST_MENTIONS } from '../../../modules/rooms/said/mentions.js'
import { occupantId } from '../../../modules/rooms/people/occupant-ids.js'
import { Occupants } from '../../../modules/rooms/occupants.js'
import type { Room } from '../../../modules/rooms/room.js'
import { standardSettings } from '../../../modules/rooms/settings.js'
import type { Venue } from '../../../modules/rooms/venue.js'
import { DOMAIN, type World } from '../../world/world.js'
import { ROOM, roomsWorld, SERVICE } from './rooms-world.js'

const limits = { mostOccupants: 100, mostHistory: 20 }
const settings = { ...standardSettings(limits), persistent: true }

function venueOf(w: World): Venue {
  const host = w.server.hosts.get(DOMAIN)!
  const jid = Jid.parse(SERVICE)
  return {
    ...{ host, jid, limits, secret: Buffer.alloc(32) },
    addressOf: (name: string) => Jid.of(name, SERVICE),
  } as unknown as Venue
}

async function fill(w: World, table: string, rows: readonly object[]): Promise<void> {
  const { knex } = w.server.database
  for (let at = 0; at < rows.length; at += 100) await knex(table).insert(rows.slice(at, at + 100))
}

async function fillRooms(w: World, count: number): Promise<void> {
  const row = { host: DOMAIN, settings: JSON.stringify(settings), subject: '', created: 1 }
  const names = Array.from({ length: count }, (_, at) => `r${at}`)
  await fill(
    w,
    'rooms',
    names.map((name) => ({ ...row, name, locked: false, hidden: false })),
  )
}

test('so many rooms are searched (LIM-channels)', async (t) => {
  const w = await roomsWorld(t)
  await fillRooms(w, MOST_CHANNELS + 300)
  t.equal((await new Channels(venueOf(w)).all()).length, MOST_CHANNELS)
})

test('so many rooms are in an inbox (LIM-memberships)', async (t) => {
  const w = await roomsWorld(t)
  await fillRooms(w, MOST_ROOMS + 50)
  const numbers: number[] = await w.server.database.knex('rooms').pluck('number')
  const jid = `romeo@${DOMAIN}`
  const row = { jid, affiliation: 'member', nick: '', reason: '' }
  await fill(
    w,
    'room_affiliations',
    numbers.map((room) => ({ ...row, room })),
  )
  const source = memberships(venueOf(w), undefined as never)
  t.equal((await source.of(Jid.parse(jid))).length, MOST_ROOMS)
  const last = await source.find(Jid.parse(jid), Jid.of(`r${MOST_ROOMS + 49}`, SERVICE))
  t.ok(last, 'each is found by its name')
})

test('so many mentions are counted, the last ones (LIM-mentions-kept)', async (t) => {
  const w = await roomsWorld(t)
  const account = Jid.parse(`romeo@${DOMAIN}`)
  const ids = Array.from({ length: MOST_KEPT + 50 }, (_, at) => at + 1)
  await fill(
    w,
    'room_mentions',
    ids.map((id) => ({ account: account.text, room: ROOM, id })),
  )
  const kept = (await new MentionStore(venueOf(w).host).of(account)).get(ROOM) ?? []
  t.equal(kept.length, MOST_KEPT)
  t.equal(kept[0], ids.at(-1))
})

function crowd(count: number): Affiliations {
  return new Affiliations(
    Array.from({ length: count }, (_, at) => ({
      ...({ jid: Jid.parse(`u${at}@${DOMAIN}`), affiliation: 'member', nick: `n${at}` } as const),
    })),
  )
}

function naming(count: number): Stanza {
  const references = Array.from(
    { length: count },
    (_, at) =>
      `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:u${at}@${DOMAIN}'/>`,
  )
  return Stanza.parse(`<message type='groupchat'><body>!</body>${references.join('')}</message>`)
}

test('one message names so many (LIM-mentions, XEP-0372 §3.2)', async (t) => {
  const room = { jid: Jid.parse(ROOM), affiliations: crowd(MOST_NAMED * 2) } as unknown as Room
  t.equal(mentioned(room, naming(MOST_NAMED * 2)).size, MOST_NAMED)
})

test('one message is forwarded to so many (LIM-mentions, XEP-0452)', async (t) => {
  const sent: string[] = []
  const jid = Jid.parse(ROOM)
  const send = (_: Stanza, { to }: { to: Jid }) => sent.push(to.text)
  const host = {
    random: { id: () => 'id' },
    router: { send },
    server: { pending: () => undefined },
  }
  const room = {
    ...{ jid, affiliations: crowd(MOST_NAMED), occupants: new Occupants() },
    ...{ settings: { forwardMentions: true }, venue: { host } },
  }
  const occupant = { jid: jid.withResource('Romeo') }
  const envelope = { arrived: 0 }
  const spoken = { room, occupant, envelope, stanza: naming(MOST_NAMED), id: 1 }
  mentions.spoken!(spoken as unknown as Spoken)
  t.equal(sent.length, MOST_MENTIONS)
})

test('in a room with very many only those who are here are known by their ids (LIM-mentions, XEP-0513 §3.1)', async (t) => {
  const known = (count: number): number => {
    const room = {
      ...{ jid: Jid.parse(ROOM), number: 1, memo: new Map(), occupants: new Occupants() },
      ...{ affiliations: crowd(count), venue: { secret: Buffer.alloc(32) } },
    } as unknown as Room
    const id = occupantId(room, Jid.parse(`u0@${DOMAIN}`))
    const mention = `<mention xmlns='urn:xmpp:mentions:0' occupantid='${id}'/>`
    return mentioned(room, Stanza.parse(`<message><body>!</body>${mention}</message>`)).size
  }
  t.equal(known(MOST_BY_ID), 1)
  t.equal(known(MOST_BY_ID + 1), 0)
})

test('so much of what was said is read to tell how much is said (LIM-activity)', async (t) => {
  const asked: PageQuery[] = []
  const now = Date.UTC(2026, 0, 2)
  const messages = {
    page: async (query: PageQuery) => {
      asked.push(query)
      return { messages: [], complete: true }
    },
  }
  const host = {
    ...{ messages, clock: { now: () => now } },
    server: { pending: (reading: Promise<unknown>) => reading },
  }
  const venue = { archives: true, host: host as unknown as Host }
  const room = { settings, memo: new Map(), venue, logNumber: 1, created: 0 } as unknown as Room
  activity.taken!(room)
  t.match(asked, [{ limit: MOST_READ, backwards: true }])
})
