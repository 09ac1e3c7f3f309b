// Two people in a room are not called alike (XEP-0045 §7.2.8, §14.6, RFC 8266 §2.4): not who is here, and not who has
// reserved a nick.

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Affiliations } from '../../../modules/rooms/affiliations.js'
import { type Occupant, Occupants } from '../../../modules/rooms/occupants.js'
import type { Client } from '../../world/client.js'
import { DOMAIN } from '../../world/world.js'
import {
  codes,
  condition,
  enters,
  NS_ADMIN,
  NS_MUC,
  opened,
  ROOM,
  roomsWorld,
} from './rooms-world.js'

const LIKE_ROMEO = ['romeo', 'ROMEO', 'Ｒｏｍｅｏ', 'Romeo ', 'Ⓡomeo', 'ℛomeo']

/** '' where he is in */
async function comes(client: Client, nick: string): Promise<string> {
  await client.clears()
  await enters(client, nick)
  const own = client.inbox.find(
    (element) => element.is('presence') && codes(element).includes('110'),
  )
  if (own) return ''
  return condition(await client.finds("<presence type='error'/>"))
}

async function renames(client: Client, nick: string): Promise<string> {
  await client.clears()
  client.sends(`<presence to='${ROOM}/${nick}'/>`)
  await client.settle()
  const error = client.inbox.find(({ attrs }) => attrs.type === 'error')
  return error ? condition(error) : ''
}

async function goes(client: Client, nick: string): Promise<void> {
  client.sends(`<presence to='${ROOM}/${nick}' type='unavailable'/>`)
  await client.settle()
}

function registers(client: Client, nick: string): Promise<Element> {
  const fields =
    `<field var='FORM_TYPE'><value>${NS_MUC}#register</value></field>` +
    `<field var='muc#register_roomnick'><value>${nick}</value></field>`
  const form = `<x xmlns='jabber:x:data' type='submit'>${fields}</x>`
  return client.asks('set', ROOM, `<query xmlns='jabber:iq:register'>${form}</query>`)
}

for (const nodes of [1, 2] as const) {
  const where = `${nodes} nodes`
  const options = { nodes, spread: nodes === 2 }

  test(`nobody is called like somebody who is here, whatever the case, width and spaces (XEP-0045 §7.2.8, §7.6, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    for (const nick of LIKE_ROMEO) t.equal(await comes(juliet, nick), 'conflict', nick)
    t.equal(await comes(juliet, 'Ro meo'), '', 'that is another one')
    for (const nick of LIKE_ROMEO) t.equal(await renames(juliet, nick), 'conflict', nick)
    t.equal(await renames(romeo, 'Prince  of Denmark'), '')
    t.equal(await renames(juliet, 'prince of  denmark'), 'conflict')
    t.equal(await renames(juliet, 'romeo'), '', 'he is called something else')
    t.equal(await renames(romeo, 'Romeo'), 'conflict')
    await goes(juliet, 'romeo')
    t.equal(await renames(romeo, 'Romeo'), '', 'she has gone')
  })

  test(`one account is called what it likes, also twice (XEP-0045 §7.2.8, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Angelica: nurse })
    const other = await w.device('romeo')
    t.equal(await comes(other, 'ROMEO'), '')
    t.equal(await renames(romeo, 'romeo'), '')
    await goes(romeo, 'romeo')
    t.equal(await comes(juliet, 'Romeo'), 'conflict', 'the other one is still here')
    await goes(other, 'ROMEO')
    t.equal(await comes(juliet, 'Romeo'), '')
  })

  test(`nobody takes a nick that is like one that is reserved (XEP-0045 §7.2.8, §7.10, §9.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Angelica: nurse })
    t.equal((await registers(juliet, 'Juliet')).attrs.type, 'result')
    t.equal(await comes(w.person('tybalt'), 'JULIET'), 'conflict')
    t.equal(condition(await registers(w.person('tybalt'), 'ｊuliet')), 'conflict')
    t.equal(condition(await registers(w.person('tybalt'), 'angelicA')), 'conflict', 'she is here')
    const give = (...items: string[]) => {
      const given = items.map((nick, at) => {
        const name = ['mercutio', 'tybalt'][at]
        return `<item affiliation='member' jid='${name}@${DOMAIN}' nick='${nick}'/>`
      })
      return romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${given.join('')}</query>`)
    }
    t.equal(condition(await give('juliet')), 'conflict')
    t.equal(condition(await give('Queen Mab', 'queen mab')), 'conflict', 'one is given twice')
    t.equal(await comes(juliet, 'jULIET'), '', 'her own')
    t.equal((await registers(juliet, 'JULIET')).attrs.type, 'result')
    t.equal((await registers(juliet, 'Rose')).attrs.type, 'result')
    t.equal(await renames(juliet, 'Capulet'), '')
    t.equal(await comes(w.person('tybalt'), 'Juliet'), '', 'given up')
  })
}

test('what nobody could compare is no nick (RFC 8266 §2.3, XEP-0045 §17.1.1)', async (t) => {
  const w = await roomsWorld(t)
  await opened(w, { Romeo: w.romeo })
  for (const nick of ['\u00a0', '\u1160', 'R\u200bomeo'])
    t.notOk(['', 'conflict'].includes(await comes(w.juliet, nick)), nick)
})

test('who reserved a nick before another one was too much like it keeps it (XEP-0045 §7.2.8)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo }, { fields: { persistentroom: '1' } })
  for (const [client, nick] of [
    [juliet, 'Rose'],
    [w.person('tybalt'), 'Violet'],
  ] as const)
    await registers(client, nick)
  const { knex } = w.server.database
  await knex('room_affiliations').where({ nick: 'Violet' }).update({ nick: 'rose' })
  await w.restart()
  const [first, second] = [await w.device('juliet', 'a'), await w.device('tybalt', 'b')]
  const third = await w.device('mercutio', 'c')
  t.equal(await comes(first, 'Rose'), '')
  t.equal(await comes(third, 'ROSE'), 'conflict')
  await goes(first, 'Rose')
  t.equal(await comes(second, 'rose'), '')
})

test('who is alike is known through coming, going and other names', async (t) => {
  const room = Jid.parse('orchard@rooms.capulet.example')
  const occupants = new Occupants()
  const [one, other] = ['Rose', 'ROSE'].map((nick): Occupant => {
    const visitor = { jid: Jid.parse(`juliet@capulet.example/${nick}`), node: '' }
    return {
      ...{ jid: room.withResource(nick), account: visitor.jid.bare, role: 'participant' },
      visitors: [visitor as Occupant['visitors'][0]],
    }
  }) as [Occupant, Occupant]
  occupants.add(one)
  occupants.add(other)
  t.same(occupants.like('rose'), [one, other])
  occupants.rename(one, room.withResource('Violet'))
  t.same(occupants.like('rose'), [other])
  t.same(occupants.like('violet'), [one])
  occupants.leave(other, other.visitors[0]!)
  occupants.remove(one)
  t.same([occupants.like('rose'), occupants.like('violet')], [[], []])
})

test('a nick that is given up, or whose owner is none any more, is anybody’s (XEP-0045 §7.10)', async (t) => {
  const jid = Jid.parse('juliet@capulet.example')
  const lists = new Affiliations([{ jid, affiliation: 'member', nick: 'Rose' }])
  t.equal(lists.reserved('rose')?.jid, jid)
  lists.set({ jid, affiliation: 'member', nick: 'Violet' })
  t.equal(lists.reserved('rose'), undefined)
  lists.remove(jid)
  t.equal(lists.reserved('violet'), undefined)
})
