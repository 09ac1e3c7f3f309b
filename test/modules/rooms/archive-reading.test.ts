// Reading archives of rooms in particular: by words, not too often, and what is left of a room that is gone.

import { test } from 'tap'
import { asks } from '../archive/archive-world.js'
import { condition, enters, NS_OWNER, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const FULLTEXT = '{urn:xmpp:fulltext:0}fulltext'

test('a room is searched by words, by who may read it, and never in what is encrypted (XEP-0431 §2.2)', async (t) => {
  const w = await roomsWorld(t, { modules: ['rooms', 'search'] })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo }, { fields: { membersonly: '1' } })
  says(romeo, 'the lark sings')
  says(romeo, 'a nightingale')
  says(romeo, 'of larks, in cipher', {
    more: "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>x</payload></encrypted>",
  })
  await w.settle()
  const finds = async (
    client: typeof romeo,
    words: string,
  ): Promise<readonly string[] | string> => {
    const { bodies, error } = await asks(client, { to: ROOM, fields: { [FULLTEXT]: words } })
    return error ?? bodies
  }
  for (const state of ['behind', 'filled']) {
    t.same(await finds(romeo, 'lark'), ['the lark sings'], state)
    t.same(await finds(romeo, 'cipher'), [], state)
    t.equal(await finds(juliet, 'lark'), 'forbidden', state)
    w.clock.advance(2000)
    await w.settle()
  }
})

test('who asks too often waits, and then is told to (LIM-archive-queries)', async (t) => {
  const w = await roomsWorld(t, { limits: 'default' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet })
  const answered = (): number => juliet.inbox.filter((one) => one.is('iq')).length
  for (let i = 0; i < 25; i++)
    juliet.sends(`<iq type='set' id='q${i}' to='${ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>`)
  says(juliet, 'what she says does not wait')
  await turns(() => answered() === 20)
  await turns(() => romeo.inbox.some((one) => one.getChild('body')))
  romeo.sends(`<iq type='set' id='his' to='${ROOM}'><query xmlns='urn:xmpp:mam:2'/></iq>`)
  await turns(() => romeo.inbox.some(({ attrs }) => attrs.id === 'his'))
  for (let i = 1; i <= 5; i++) {
    w.clock.advance(200)
    await turns(() => answered() === 20 + i)
  }
})

/** What waits for the clock is not settled. */
async function turns(until: () => boolean): Promise<void> {
  for (const limit = Date.now() + 10_000; !until() && Date.now() < limit; )
    await new Promise((resolve) => setImmediate(resolve))
  if (!until()) throw new Error('it does not come')
}

test('a server that is killed goes on to take away what was said in rooms that are gone', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
  for (let i = 0; i < 5; i++) says(romeo, `${i}`)
  await w.settle()
  await romeo.asks('set', ROOM, `<query xmlns='${NS_OWNER}'><destroy/></query>`)
  await w.restart({ kill: true })
  t.equal((await w.server.messages.scan(0, 10)).length, 5)
  w.clock.advance(61_000)
  await w.settle()
  t.same(await w.server.messages.scan(0, 10), [])
  t.same(await w.server.database.knex('rooms_gone'), [])
})

test('a room that keeps nothing shows nothing, gives no ids and moderates nothing (XEP-0313 §6.1.2)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo, juliet, nurse } = w
  await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { enablearchiving: '0' } })
  says(juliet, 'one')
  await w.settle()
  t.notOk(romeo.inbox.find((one) => one.getChild('body'))?.getChild('stanza-id'))
  t.same((await asks(romeo, { to: ROOM })).bodies, [])
  t.same(await w.server.messages.scan(0, 10), [])
  const moderate = `<moderate xmlns='urn:xmpp:message-moderate:1' id='x'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>`
  t.equal(condition(await romeo.asks('set', ROOM, moderate)), 'item-not-found')
  await enters(nurse, 'Nurse')
  t.equal(
    nurse.inbox.filter((one) => one.getChild('body')).length,
    1,
    'newcomers hear it all the same',
  )
})
