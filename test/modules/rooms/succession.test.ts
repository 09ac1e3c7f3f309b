// What becomes of a room when the account that owned it is removed (SEC-28): somebody who belongs to it owns it, or
// it ends.

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, type World } from '../../world/world.js'
import { waits } from '../stream-management/sm-world.js'
import { codes, condition, item, NS_ADMIN, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const persistent = { persistentroom: '1' }

/** Each a minute after the one before */
async function belong(w: World, owner: Client, who: Record<string, string>): Promise<void> {
  for (const [name, affiliation] of Object.entries(who)) {
    w.clock.advance(60_000)
    const entry = `<item jid='${name}@${DOMAIN}' affiliation='${affiliation}'/>`
    await owner.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${entry}</query>`)
  }
  await w.settle()
}

/** Who is on the list, as whoever runs the service sees it */
async function listed(w: World, affiliation: string): Promise<string[]> {
  const query = `<query xmlns='${NS_ADMIN}'><item affiliation='${affiliation}'/></query>`
  const answer = await w.nurse.asks('get', ROOM, query)
  const items = answer.getChild('query')?.getChildren('item') ?? []
  return items.map(({ attrs }) => String(attrs.jid).split('@')[0]!)
}

async function removes(w: World, name: string): Promise<void> {
  await w.server.run(DOMAIN, 'user remove', { jids: [`${name}@${DOMAIN}`] })
  await w.settle()
}

async function isThere(w: World): Promise<boolean> {
  const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
  return condition(await w.nurse.asks('get', ROOM, info)) !== 'item-not-found'
}

for (const nodes of [1, 2] as const) {
  const start = async (t: Parameters<typeof roomsWorld>[0]): Promise<World> => {
    const database = nodes === 2 ? { database: await freshPostgres() } : {}
    return roomsWorld(t, { nodes, spread: nodes === 2, ...database })
  }

  test(`where the last owner is removed who has been an admin for longest owns the room (SEC-28, ${nodes} nodes)`, async (t) => {
    const w = await start(t)
    const { romeo, juliet } = w
    const [tybalt, mercutio] = [w.person('tybalt'), w.person('mercutio')]
    await opened(w, { Romeo: romeo, Tybalt: tybalt, Mercutio: mercutio }, { fields: persistent })
    await belong(w, romeo, { juliet: 'member', mercutio: 'member', tybalt: 'admin' })
    await belong(w, romeo, { mercutio: 'admin' })
    // A nick of his own makes nobody younger.
    await belong(w, romeo, { tybalt: "admin' nick='Prince of cats" })
    await tybalt.clears()
    await mercutio.clears()
    await removes(w, 'romeo')
    const shown = tybalt.inbox.filter(({ attrs }) => attrs.from === `${ROOM}/Tybalt`)
    t.match(item(shown.at(-1)!), { affiliation: 'owner', role: 'moderator' })
    t.same(await listed(w, 'owner'), ['tybalt'])
    t.same(await listed(w, 'admin'), ['mercutio'])
    t.same(await listed(w, 'member'), ['juliet'])
    const knex = w.server.database.knex
    const rows = await knex('room_affiliations').orderBy('jid').select('jid', 'affiliation')
    t.same(
      rows.map(({ jid, affiliation }) => `${jid.split('@')[0]} ${affiliation}`),
      ['juliet member', 'mercutio admin', 'tybalt owner'],
    )
    t.same(await knex('rooms_forsaken'), [])
    await removes(w, 'mercutio')
    t.same(await listed(w, 'admin'), [], 'it is in nobody’s memory')
    t.same(await listed(w, 'owner'), ['tybalt'])
    const known = await tybalt.asks('get', ROOM, `<query xmlns='jabber:iq:register'/>`)
    t.ok(known.getChild('query')?.getChild('registered'))
    await juliet.receivesNothing()
  })

  test(`where there is no admin who has been a member for longest does (SEC-28, ${nodes} nodes)`, async (t) => {
    const w = await start(t)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: persistent })
    const whole = `<item jid='montague.example' affiliation='member'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${whole}</query>`)
    await belong(w, romeo, {
      tybalt: 'member',
      juliet: 'member',
      mercutio: 'outcast',
    })
    for (const client of [w.person('tybalt'), juliet]) {
      client.sends('<presence/>')
      await client.clears()
    }
    await removes(w, 'romeo')
    t.same(await listed(w, 'owner'), ['tybalt'], 'no domain, and nobody who is banned')
    const told = await w.person('tybalt').finds(`<message from='${ROOM}'/>`)
    t.same(codes(told), ['101'], 'he hears that something is different (XEP-0045 §18.1)')
    await juliet.receivesNothing()
  })

  test(`a room that nobody belongs to ends, after the last visit (SEC-28, ${nodes} nodes)`, async (t) => {
    const w = await start(t)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: persistent })
    await removes(w, 'romeo')
    t.same(await listed(w, 'owner'), [])
    says(juliet, 'alone')
    await juliet.finds('<message><body>alone</body></message>')
    t.ok(await isThere(w), 'who is in it is not sent out')
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await w.settle()
    t.notOk(await isThere(w))
  })

  test(`a room that nobody belongs to and nobody is in ends at once (SEC-28, ${nodes} nodes)`, async (t) => {
    const w = await start(t)
    const { romeo } = w
    await opened(w, { Romeo: romeo }, { fields: persistent })
    await removes(w, 'romeo')
    t.notOk(await isThere(w))
    t.same(await w.server.database.knex('rooms'), [])
    t.same(await w.server.database.knex('rooms_forsaken'), [])
  })
}

test('a room that could not be told that an account was removed is told later (SEC-28)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: persistent })
  await belong(w, romeo, { juliet: 'admin' })
  const never = (): Promise<void> => new Promise(() => undefined)
  Object.assign(w.server.journal, { commit: never })
  await w.server.run(DOMAIN, 'user remove', { jids: [romeo.account] })
  await w.restart({ kill: true })
  await waits(w, 61)
  const rows = await w.server.database.knex('room_affiliations').select('jid', 'affiliation')
  t.same(rows, [{ jid: `juliet@${DOMAIN}`, affiliation: 'owner' }])
})

test('rooms of another host of this server hear of it, too (SEC-28)', async (t) => {
  const w = await roomsWorld(t, {
    hosts: ['montague.example'],
    people: ['romeo', 'nurse', 'benvolio@montague.example'],
    host: { admins: [`nurse@${DOMAIN}`] },
  })
  const benvolio = w.person('benvolio@montague.example')
  const room = 'square@rooms.montague.example'
  await opened(w, { Benvolio: benvolio }, { room, fields: persistent })
  const asks = (type: 'get' | 'set', item: string) =>
    benvolio.asks(type, room, `<query xmlns='${NS_ADMIN}'>${item}</query>`)
  await asks('set', `<item jid='${w.romeo.account}' affiliation='admin'/>`)
  t.match(`${await asks('get', "<item affiliation='admin'/>")}`, 'romeo@')
  await removes(w, 'romeo')
  await waits(w, 61)
  t.notMatch(`${await asks('get', "<item affiliation='admin'/>")}`, 'romeo@')
})
