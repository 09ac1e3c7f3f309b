// Making a room, saying what it is to be, and ending it (XEP-0045 §10.1, §10.2, §10.9).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import {
  codes,
  condition,
  configures,
  enters,
  item,
  NS_ADMIN,
  NS_OWNER,
  NS_USER,
  opened,
  ROOM,
  roomsWorld,
} from './rooms-world.js'

function presences(client: Client, nick: string): Element[] {
  const from = `${ROOM}/${nick}`
  return client.inbox.filter((one) => one.is('presence') && one.attrs.from === from)
}

function owns(client: Client, type: 'get' | 'set', inside = ''): Promise<Element> {
  return client.asks(type, ROOM, `<query xmlns='${NS_OWNER}'>${inside}</query>`)
}

async function told(client: Client): Promise<string[]> {
  await client.settle()
  const messages = client.inbox.filter((one) => one.is('message') && one.getChild('x', NS_USER))
  await client.clears()
  return messages.flatMap(codes)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = { nodes, spread: nodes === 2 }

  test(`a new room is its owner’s to configure before others enter (XEP-0045 §10.1.1, §10.1.3, §7.2.10, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await enters(romeo, 'Romeo')
    const form = await owns(romeo, 'get')
    const fields = form.getChild('query')?.getChild('x')?.getChildren('field') ?? []
    const names = fields.map(({ attrs }) => attrs.var)
    for (const name of ['roomname', 'membersonly', 'moderatedroom', 'persistentroom', 'whois'])
      t.ok(names.includes(`muc#roomconfig_${name}`), name)
    t.equal(condition(await owns(juliet, 'get')), 'forbidden')
    const answer = await configures(romeo, { roomname: 'Orchard', membersonly: '1' })
    t.equal(answer.attrs.type, 'result')
    t.same(await told(romeo), [], 'nothing has changed for anybody')
    await enters(juliet, 'Juliet')
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'registration-required')
  })

  test(`a room that is cancelled or left before it is configured is none (§10.1.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await enters(romeo, 'Romeo')
    await romeo.clears()
    const cancel = "<x xmlns='jabber:x:data' type='cancel'/>"
    t.equal((await owns(romeo, 'set', cancel)).attrs.type, 'result')
    const [gone] = presences(romeo, 'Romeo')
    t.ok(gone?.getChild('x', NS_USER)?.getChild('destroy'))
    await enters(juliet, 'Juliet')
    t.ok(codes(presences(juliet, 'Juliet')[0]!).includes('201'))
    await juliet.clears()
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await w.settle()
    t.ok(presences(juliet, 'Juliet')[0]?.getChild('x', NS_USER)?.getChild('destroy'))
    await enters(romeo, 'Romeo')
    t.ok(codes(presences(romeo, 'Romeo').at(-1)!).includes('201'))
  })

  test(`everybody hears what changes for his privacy, and that something else does (§10.2.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    await configures(romeo, { enablearchiving: '0' })
    t.same(await told(juliet), ['171'])
    await configures(romeo, { enablearchiving: '1' })
    t.same(await told(juliet), ['170'])
    await configures(romeo, { whois: 'anyone' })
    t.same(await told(juliet), ['172'])
    await configures(romeo, { whois: 'moderators', roomname: 'Orchard' })
    t.same(await told(juliet), ['173', '104'])
    await configures(romeo, { roomname: 'Orchard' })
    t.same(await told(juliet), [], 'nothing is different')
    t.equal(condition(await configures(juliet, { roomname: 'Mine' })), 'forbidden')
    t.equal(condition(await configures(romeo, { whois: 'nobody' })), 'not-acceptable')
    t.equal(condition(await owns(romeo, 'set')), 'bad-request')
  })

  test(`where only members may be others are sent out (§10.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet, Mercutio: mercutio })
    const member = `<item affiliation='member' jid='${juliet.account}'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${member}</query>`)
    await configures(romeo, { membersonly: '1' })
    await w.settle()
    for (const client of [juliet, mercutio]) {
      const [gone] = presences(client, 'Mercutio')
      t.equal(gone?.attrs.type, 'unavailable')
      t.ok(codes(gone!).includes('322'))
    }
    t.notOk(presences(juliet, 'Juliet').some(({ attrs }) => attrs.type === 'unavailable'))
  })

  test(`in a moderated room who has no standing loses his voice, and gets it back (§5.1.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    await configures(romeo, { moderatedroom: '1' })
    t.equal(item(presences(juliet, 'Juliet').at(-1)!).role, 'visitor')
    await configures(romeo, { moderatedroom: '0' })
    t.equal(item(presences(juliet, 'Juliet').at(-1)!).role, 'participant')
  })

  test(`an owner ends a room, and everybody hears where it goes on (§10.9, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
    const end = `<destroy jid='hall@rooms.capulet.example'><reason>Winter</reason><password>rose</password></destroy>`
    t.equal(condition(await owns(juliet, 'set', end)), 'forbidden')
    t.equal((await owns(romeo, 'set', end)).attrs.type, 'result')
    await w.settle()
    for (const [nick, client] of [
      ['Romeo', romeo],
      ['Juliet', juliet],
    ] as const) {
      const seen = client.inbox.filter((one) => one.is('presence'))
      t.equal(seen.length, 1, 'each hears it of himself alone')
      t.equal(seen[0]?.attrs.from, `${ROOM}/${nick}`)
      const destroy = seen[0]?.getChild('x', NS_USER)?.getChild('destroy')
      t.equal(destroy?.attrs.jid, 'hall@rooms.capulet.example')
      t.equal(destroy?.getChildText('reason'), 'Winter')
      t.equal(destroy?.getChildText('password'), 'rose')
      t.match(item(seen[0]!), { affiliation: 'none', role: 'none' })
    }
    await enters(juliet, 'Juliet')
    t.equal(item(presences(juliet, 'Juliet').at(-1)!).affiliation, 'owner', 'it is another room')
  })

  test(`owners and admins are made and unmade (§10.3, §10.4, §10.6, §10.7, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { moderatedroom: '1' } })
    const makes = async (affiliation: string): Promise<Record<string, string>> => {
      await juliet.clears()
      const change = `<item affiliation='${affiliation}' jid='${juliet.account}'><reason>Why</reason></item>`
      await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${change}</query>`)
      return item(presences(juliet, 'Juliet')[0]!)
    }
    t.match(await makes('admin'), { affiliation: 'admin', role: 'moderator' }, '§10.6')
    t.match(await makes('owner'), { affiliation: 'owner', role: 'moderator' }, '§10.3')
    t.match(await makes('admin'), { affiliation: 'admin', role: 'moderator' }, '§10.4')
    t.match(await makes('member'), { affiliation: 'member', role: 'participant' }, '§10.7')
    t.match(await makes('none'), { affiliation: 'none', role: 'visitor' }, '§9.4')
  })
}
