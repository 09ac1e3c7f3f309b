// What strangers can fill in a room is bounded: who waits, who is called what, what is remembered and on its way.

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { Affiliations, MOST_AFFILIATIONS } from '../../../modules/rooms/affiliations.js'
import {
  checkedNick,
  checkNick,
  MOST_EXTRA,
  MOST_NICK,
  MOST_VISITORS,
} from '../../../modules/rooms/entering.js'
import type { Visit } from '../../../modules/rooms/feature.js'
import { History, MOST_TEXT } from '../../../modules/rooms/history.js'
import { MOST_REASON } from '../../../modules/rooms/said/moderating.js'
import { MOST_KNOWN, occupantId } from '../../../modules/rooms/people/occupant-ids.js'
import { type Occupant, Occupants, type Visitor } from '../../../modules/rooms/occupants.js'
import { MOST_OPEN, passOn } from '../../../modules/rooms/passing-on.js'
import { checkAffiliations } from '../../../modules/rooms/people/privileges.js'
import type { Room } from '../../../modules/rooms/room.js'
import { MOST_WAITING, RoomLane } from '../../../modules/rooms/room-lane.js'
import { DOMAIN } from '../../world/world.js'
import {
  codes,
  condition,
  configures,
  enters,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'

const jid = Jid.parse(ROOM)

function visitor(account: string, resource: string): Visitor {
  const presence = Stanza.parse('<presence/>')
  return { jid: Jid.parse(`${account}@${DOMAIN}/${resource}`), node: '', presence }
}

function occupant(nick: string, visitors: Visitor[]): Occupant {
  return {
    jid: jid.withResource(nick),
    account: visitors[0]!.jid.bare,
    role: 'participant',
    visitors,
  }
}

test('so much waits for a room, and what comes then is refused (LIM-room-lane)', async (t) => {
  const lane = new RoomLane()
  let release = (): void => undefined
  const first = lane.alone(() => new Promise<void>((resolve) => (release = resolve)))
  let done = 0
  const waiting = Array.from({ length: MOST_WAITING }, () => lane.beside(() => void done++))
  await t.rejects(Promise.resolve(lane.beside(() => undefined)), /resource-constraint/)
  release()
  await Promise.all([first, ...waiting])
  t.equal(done, MOST_WAITING)
  t.ok(lane.idle)
})

test('a room keeps so much text for newcomers (LIM-room-history)', async (t) => {
  const history = new History(1000)
  const body = 'x'.repeat(MOST_TEXT / 8)
  for (let at = 0; at < 20; at++) {
    const stanza = Stanza.parse(`<message type='groupchat'><body>${body}${at}</body></message>`)
    history.add({ from: jid, stanza, at })
  }
  const wanted = { most: 1000, mostText: Number.POSITIVE_INFINITY, since: 0 }
  const kept = history.wanted(jid, wanted).map(({ at }) => at)
  t.same(kept, [13, 14, 15, 16, 17, 18, 19], 'the last ones')
})

test('so many requests to occupants await their answers, and the oldest are forgotten (LIM-passed-on)', async (t) => {
  const occupants = new Occupants()
  const [romeo, juliet] = [visitor('romeo', 'phone'), visitor('juliet', 'phone')]
  occupants.add(occupant('Romeo', [romeo]))
  occupants.add(occupant('Juliet', [juliet]))
  const sent: { stanza: Stanza; to: Jid }[] = []
  let ids = 0
  const host = {
    random: { id: () => `r${ids++}` },
    router: { send: (stanza: Stanza, { to }: { to: Jid }) => sent.push({ stanza, to }) },
  }
  const room = { occupants, memo: new Map(), venue: { host } } as unknown as Room
  const passes = (xml: string, from: Visitor, nick: string) =>
    passOn(room, {
      envelope: { stanza: Stanza.parse(xml), from: from.jid, to: jid.withResource(nick) },
    } as unknown as Visit)
  for (let at = 0; at < MOST_OPEN + 10; at++)
    await passes(
      `<iq type='get' id='q${at}'><query xmlns='jabber:iq:version'/></iq>`,
      romeo,
      'Juliet',
    )
  t.same(
    [...room.memo.values()].map((open) => (open as Map<string, unknown>).size),
    [MOST_OPEN],
  )
  const asked = sent.splice(0)
  for (const { stanza } of asked)
    await passes(`<iq type='result' id='${stanza.id}'/>`, juliet, 'Romeo')
  t.equal(sent.length, MOST_OPEN)
  t.equal(sent[0]?.stanza.id, 'q10')
})

test('a room remembers the ids of so many people (LIM-occupant-ids)', async (t) => {
  const room = {
    memo: new Map(),
    number: 1,
    venue: { secret: Buffer.alloc(32) },
  } as unknown as Room
  const ids = Array.from({ length: MOST_KNOWN + 10 }, (_, at) =>
    occupantId(room, Jid.parse(`u${at}@x.example`)),
  )
  t.same(
    [...room.memo.values()].map((known) => (known as Map<string, string>).size),
    [MOST_KNOWN],
  )
  t.equal(occupantId(room, Jid.parse('u0@x.example')), ids[0], 'who was forgotten has the same one')
})

test('a nick has so many characters (LIM-nick)', async (t) => {
  t.equal(checkedNick(jid.withResource('x'.repeat(MOST_NICK))).length, MOST_NICK)
  const long = jid.withResource('x'.repeat(MOST_NICK + 1))
  t.throws(() => checkedNick(long), /not-acceptable/)
})

test('so many sessions have one nick (LIM-visitors-per-nick)', async (t) => {
  const occupants = new Occupants()
  const one = occupant('Romeo', [visitor('romeo', 'r0')])
  occupants.add(one)
  const room = { occupants, affiliations: new Affiliations() } as unknown as Room
  const comes = (at: number): void => checkNick(room, visitor('romeo', `r${at}`).jid, 'Romeo')
  for (let at = 1; at < MOST_VISITORS; at++) {
    comes(at)
    occupants.join(one, visitor('romeo', `r${at}`))
  }
  t.throws(() => comes(MOST_VISITORS), /service-unavailable/)
})

test('of those who may come into a full room so many come (LIM-extra-occupants, XEP-0045 §7.2.9)', async (t) => {
  const w = await roomsWorld(t, { options: { rooms: { max_occupants: 1 } } })
  await opened(w, { Romeo: w.romeo })
  const comes = async (at: number): Promise<string> => {
    // The nurse runs the service: she is an owner, too.
    const client = await w.device(at % 2 ? 'romeo' : 'nurse', `r${at}`)
    await enters(client, `Romeo ${at}`)
    const own = client.inbox.find((element) => codes(element).includes('110'))
    return own ? '' : condition(await client.finds("<presence type='error'/>"))
  }
  for (let at = 0; at < MOST_EXTRA; at++) t.equal(await comes(at), '')
  t.equal(await comes(MOST_EXTRA), 'service-unavailable')
})

test('the lists of a room have so many entries (LIM-affiliations)', async (t) => {
  const account = (at: number): Jid => Jid.parse(`u${at}@x.example`)
  const affiliations = new Affiliations()
  for (let at = 0; at < MOST_AFFILIATIONS; at++)
    affiliations.set({ jid: account(at), affiliation: at === 0 ? 'owner' : 'member' })
  const room = {
    ...{ affiliations, occupants: new Occupants(), venue: { host: { isAdmin: () => false } } },
    affiliationOf: (jid: Jid) => affiliations.of(jid),
  } as unknown as Room
  const actor = { account: account(0), affiliation: 'owner', isModerator: true } as const
  const changes = (...names: number[]) =>
    checkAffiliations(
      room,
      names.map((at) => ({ jid: account(at), affiliation: 'outcast' })),
      actor,
    )
  changes(1, 2)
  t.throws(() => changes(1, MOST_AFFILIATIONS), /resource-constraint/)
  affiliations.remove(account(3))
  changes(MOST_AFFILIATIONS)
  t.throws(() => changes(MOST_AFFILIATIONS, MOST_AFFILIATIONS + 1), /resource-constraint/)
})

test('who moderates gives so long a reason (LIM-reason)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo } = w
  await enters(romeo, 'Romeo')
  await configures(romeo)
  says(romeo, 'potions for free', { id: 'said' })
  await w.settle()
  const said = await romeo.finds("<message id='said'/>")
  const id = String(said.getChild('stanza-id')!.attrs.id)
  const gives = async (length: number): Promise<string> => {
    const reason = `<retract xmlns='urn:xmpp:message-retract:1'/><reason>${'x'.repeat(length)}</reason>`
    const moderate = `<moderate xmlns='urn:xmpp:message-moderate:1' id='${id}'>${reason}</moderate>`
    return condition(await romeo.asks('set', ROOM, moderate))
  }
  t.equal(await gives(MOST_REASON + 1), 'not-acceptable')
  t.equal(await gives(MOST_REASON), '')
})
