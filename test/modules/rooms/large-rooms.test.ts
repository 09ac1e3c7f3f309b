// Rooms with very many in them: who comes when there are more than the operator says is shown to moderators
// alone, so that coming in costs the same however many there are.

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { codes, enters, heard, NS_ADMIN, opened, ROOM, roomsWorld, says } from './rooms-world.js'

/** Of whom presence came, who has gone marked so */
async function sees(client: Client): Promise<string[]> {
  await client.settle()
  const seen = client.inbox
    .filter((element) => element.is('presence'))
    .map(({ attrs }) => `${attrs.type ? '-' : ''}${String(attrs.from).slice(ROOM.length + 1)}`)
  await client.clears()
  return seen
}

for (const nodes of [1, 2] as const)
  test(`who comes into a very large room is shown to moderators alone, until he is one (${nodes} nodes)`, async (t) => {
    const w = await roomsWorld(t, {
      ...{ nodes, spread: nodes === 2 },
      options: { rooms: { shown_occupants: 2 } },
    })
    const { romeo, juliet } = w
    const [tybalt, mercutio] = [w.person('tybalt'), w.person('mercutio')]
    await opened(w, { Romeo: romeo, Juliet: juliet })

    await enters(tybalt, 'Tybalt')
    t.ok(tybalt.inbox.some((element) => codes(element).includes('110')))
    t.same(await sees(tybalt), ['Romeo', 'Juliet', 'Tybalt'], 'he sees those who were here')
    t.same(await sees(juliet), [])
    t.same(await sees(romeo), ['Tybalt'], 'a moderator sees everybody')

    await enters(mercutio, 'Mercutio')
    t.same(await sees(mercutio), ['Romeo', 'Juliet', 'Mercutio'])
    says(tybalt, 'peace?')
    await w.settle()
    t.same(await heard(juliet), ['peace?'], 'what he says everybody hears')
    t.same(await heard(mercutio), ['peace?'])

    mercutio.sends(`<presence to='${ROOM}/Mercutio'><status>a plague</status></presence>`)
    await w.settle()
    t.same(await sees(juliet), [])
    mercutio.sends(`<presence type='unavailable' to='${ROOM}/Mercutio'/>`)
    await w.settle()
    t.same(await sees(juliet), [], 'who was not seen does not go')
    t.same(await sees(romeo), ['Mercutio', 'Mercutio', '-Mercutio'])

    const grant = `<item nick='Tybalt' role='moderator'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${grant}</query>`)
    await w.settle()
    t.same(await sees(juliet), ['Tybalt'], 'moderators are seen')
    tybalt.sends(`<presence type='unavailable' to='${ROOM}/Tybalt'/>`)
    await w.settle()
    t.same(await sees(juliet), ['-Tybalt'])
  })
