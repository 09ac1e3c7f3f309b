// That something is said in rooms that one is not in (XEP-0437).

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Indicators } from '../../../modules/rooms/said/activity-indicators.js'
import type { Venue } from '../../../modules/rooms/venue.js'
import type { VisitStore } from '../../../modules/rooms/said/visit-store.js'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { freshPostgres } from '../../world/postgres.js'
import { enters, NS_ADMIN, opened, ROOM, roomsWorld, says, SERVICE } from './rooms-world.js'

const NS = 'urn:xmpp:rai:0'
const CRYPT = `crypt@${SERVICE}`
const FIELDS = { persistentroom: '1' }

async function onPostgres(): Promise<{ database: string }> {
  return { database: await freshPostgres() }
}

function listens(client: Client): void {
  client.sends(`<presence to='${SERVICE}'><rai xmlns='${NS}'/></presence>`)
}

/** Rooms that were named, one list for each message */
async function told(client: Client): Promise<string[][]> {
  await client.settle()
  const found = client.inbox.flatMap((one) => one.getChild('rai', NS) ?? [])
  client.inbox = []
  return found.map((rai) =>
    rai
      .getChildren('activity')
      .map((one) => one.getText())
      .sort(),
  )
}

function affiliates(owner: Client, jid: string, affiliation: string, room = ROOM) {
  const item = `<item affiliation='${affiliation}' jid='${jid}'/>`
  return owner.asks('set', room, `<query xmlns='${NS_ADMIN}'>${item}</query>`)
}

/** Something is said, later than whatever was before, and told of. */
async function speaks(w: World, client: Client, body: string, room = ROOM): Promise<void> {
  w.clock.advance(2000)
  says(client, body, { room })
  await w.settle()
  w.clock.advance(2000)
  await w.settle()
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`a member hears once that something is said where she is not (XEP-0437 §3.1, §4, ${where})`, async (t) => {
    // With SQLite a node does not see in the log what another one has just written there.
    const w = await roomsWorld(t, { nodes, spread, ...(nodes === 2 && (await onPostgres())) })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: FIELDS })
    await opened(w, { Romeo: romeo }, { fields: FIELDS, room: CRYPT })
    await affiliates(romeo, 'juliet@capulet.example', 'member')
    await affiliates(romeo, 'juliet@capulet.example', 'member', CRYPT)
    await speaks(w, romeo, 'nobody listens yet')
    t.same(await told(juliet), [])

    listens(juliet)
    t.same(await told(juliet), [[ROOM]], 'what she missed, in one message')
    await speaks(w, romeo, 'again')
    t.same(await told(juliet), [], 'of each room once')
    await speaks(w, romeo, 'a tomb', CRYPT)
    t.same(await told(juliet), [[CRYPT]])

    juliet.sends(`<presence to='${SERVICE}' type='unavailable'/>`)
    listens(juliet)
    t.same(await told(juliet), [[ROOM, CRYPT].sort()], 'a new subscription begins anew')
    juliet.sends(`<presence to='${SERVICE}' type='unavailable'/>`)
    await speaks(w, romeo, 'and again')
    t.same(await told(juliet), [], 'she listens no more (§3.2)')
  })

  test(`who is in a room, or was there since, hears nothing of it (XEP-0437 §3.1, §4, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: FIELDS })
    await affiliates(romeo, 'juliet@capulet.example', 'member')
    await speaks(w, romeo, 'before')
    await enters(juliet, 'Juliet')
    await juliet.clears()
    listens(juliet)
    await speaks(w, romeo, 'she hears that')
    t.same(await told(juliet), [])
    const tablet = await w.device('juliet', 'tablet', { node: nodes - 1 })
    listens(tablet)
    t.same(await told(tablet), [[ROOM]], 'her other device is not in')

    w.clock.advance(1000)
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await w.settle()
    listens(juliet)
    t.same(await told(juliet), [], 'nothing since she left')
    await speaks(w, romeo, 'after')
    t.same(await told(juliet), [[ROOM]])
  })

  test(`who has no standing in a room learns nothing of it (XEP-0437 §4, §6, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    const tybalt = w.person('tybalt')
    await opened(w, { Romeo: romeo }, { fields: { ...FIELDS, publicroom: '0' } })
    await affiliates(romeo, 'juliet@capulet.example', 'member')
    await affiliates(romeo, 'tybalt@capulet.example', 'outcast')
    for (const client of [juliet, tybalt]) listens(client)
    await affiliates(romeo, 'juliet@capulet.example', 'none')
    for (const client of [juliet, tybalt]) await client.clears()
    await speaks(w, romeo, 'secrets')
    t.same(await told(tybalt), [], 'banned')
    t.same(await told(juliet), [], 'no member any more')
    listens(juliet)
    t.same(await told(juliet), [])
    const info = await juliet.asks(
      'get',
      SERVICE,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    const features = info
      .getChild('query')!
      .getChildren('feature')
      .map(({ attrs }) => attrs.var)
    t.ok(features.includes(NS))
  })

  test(`who is gone listens no more (${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: FIELDS })
    await affiliates(romeo, 'juliet@capulet.example', 'member')
    listens(juliet)
    await juliet.leaves()
    await speaks(w, romeo, 'farewell')
    const back = await w.device('juliet', 'phone', { node: nodes - 1 })
    t.same(await told(back), [])
    await speaks(w, romeo, 'good night')
    t.same(await told(back), [])
  })
}

test('so many may listen on one node, and the oldest makes room (LIM-indicators)', async (t) => {
  const written: string[] = []
  const find = (jid: Jid) => ({ write: () => void written.push(jid.text) })
  const venue = {
    jid: Jid.parse(SERVICE),
    addressOf: () => Jid.parse(ROOM),
    host: {
      sessions: { find },
      messages: { page: async () => ({ messages: [] }) },
      random: { id: () => 'x' },
      clock: { now: () => 0 },
    },
  } as unknown as Venue
  const store = {
    rooms: async () => [{ number: 1, name: 'orchard', left: 0 }],
    inside: async () => new Set(),
    affiliated: async (_: number, accounts: readonly string[]) => new Set(accounts),
  } as unknown as VisitStore
  const indicators = new Indicators(venue, store)
  for (let i = 0; i <= 5000; i++) await indicators.listen(Jid.parse(`p${i}@capulet.example/x`))
  await indicators.active({ number: 1, name: 'orchard' })
  t.equal(written.length, 5000)
  t.notOk(written.includes('p0@capulet.example/x'))
  await indicators.active({ number: 1, name: 'orchard' })
  t.equal(written.length, 5000, 'each once')
})
