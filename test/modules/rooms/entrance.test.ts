// Who may enter a room, and what a newcomer is told (XEP-0045 §7.2).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import {
  codes,
  condition,
  configures,
  enters,
  heard,
  item,
  NS_ADMIN,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'

async function refused(client: Client, nick: string, inside = ''): Promise<string> {
  await enters(client, nick, { inside })
  return condition(await client.finds("<presence type='error'/>"))
}

function presences(client: Client, nick: string): Element[] {
  const from = `${ROOM}/${nick}`
  return client.inbox.filter((one) => one.is('presence') && one.attrs.from === from)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = { nodes, spread: nodes === 2 }

  test(`a nick is needed, one that can be seen, and nobody else’s (XEP-0045 §7.2.1, §7.2.8, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    juliet.sends(`<presence to='${ROOM}'><x xmlns='http://jabber.org/protocol/muc'/></presence>`)
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'jid-malformed')
    t.equal(await refused(juliet, 'x'.repeat(101)), 'not-acceptable')
    t.equal(await refused(juliet, 'Romeo'), 'conflict')
  })

  test(`two sessions of one account share a nick, and each goes by itself (§7.2.8, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const laptop = await w.device('juliet')
    await enters(laptop, 'Juliet')
    t.same(presences(romeo, 'Juliet'), [], 'the others see one of them (§7.2.8)')
    t.same(codes(presences(laptop, 'Juliet')[0]!).sort(), ['110', '170'])
    await laptop.clears()
    says(romeo, 'hello')
    t.same(await heard(juliet), ['hello'])
    t.same(await heard(laptop), ['hello'])
    await juliet.leaves()
    await w.settle()
    const [still, ...more] = presences(romeo, 'Juliet')
    t.same(more, [])
    t.notOk(still?.attrs.type, 'she is still there')
    t.equal(item(still!).jid, laptop.jid, 'as the one that is left')
    await romeo.clears()
    await laptop.leaves()
    await w.settle()
    t.equal(presences(romeo, 'Juliet')[0]?.attrs.type, 'unavailable')
  })

  test(`where everybody sees addresses a newcomer is warned (§7.2.3, §7.2.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet })
    await enters(mercutio, 'Mercutio')
    t.notOk(item(presences(juliet, 'Mercutio')[0]!).jid, 'semi-anonymous (§7.2.4)')
    t.equal(item(presences(romeo, 'Mercutio')[0]!).jid, mercutio.jid, 'moderators see it')
    t.notOk(codes(presences(mercutio, 'Mercutio')[0]!).includes('100'))
    await mercutio.leaves()
    await configures(romeo, { whois: 'anyone', enablearchiving: '0' })
    await juliet.clears()
    const again = await w.device('mercutio')
    await enters(again, 'Mercutio')
    t.equal(item(presences(juliet, 'Mercutio')[0]!).jid, again.jid, 'non-anonymous (§7.2.3)')
    t.equal(item(presences(again, 'Juliet')[0]!).jid, juliet.jid)
    t.same(codes(presences(again, 'Mercutio')[0]!).sort(), ['100', '110'], 'and not kept: no 170')
  })

  test(`a password is asked for, but not of admins (§7.2.5, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const fields = { passwordprotectedroom: '1', roomsecret: 'rose' }
    await opened(w, { Romeo: romeo }, { fields })
    t.equal(await refused(juliet, 'Juliet'), 'not-authorized')
    t.equal(await refused(juliet, 'Juliet', '<password>thorn</password>'), 'not-authorized')
    await enters(juliet, 'Juliet', { inside: '<password>rose</password>' })
    t.equal(presences(juliet, 'Juliet').length, 1)
    t.notMatch(romeo.transcript.join(''), 'rose</password>', 'nobody else is told it')
  })

  test(`where only members may enter others are told to register (§7.2.6, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: { membersonly: '1' } })
    t.equal(await refused(juliet, 'Juliet'), 'registration-required')
  })

  test(`a room that is full lets in admins alone (§7.2.9, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet, nurse } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { maxusers: '2' } })
    t.equal(await refused(mercutio, 'Mercutio'), 'service-unavailable')
    await enters(nurse, 'Nurse')
    t.equal(item(presences(nurse, 'Nurse')[0]!).affiliation, 'owner', 'she runs the service')
    const laptop = await w.device('juliet')
    await enters(laptop, 'Juliet')
    t.equal(presences(laptop, 'Juliet').length, 1, 'another session is nobody more')
  })

  test(`who comes again is sent everything again, and others only what is new (§7.2.1, §17.3, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    says(romeo, 'hello')
    await romeo.clears()
    await juliet.clears()
    await enters(juliet, 'Juliet')
    const order = juliet.inbox.map((one) => one.attrs.from)
    t.same(order, [`${ROOM}/Romeo`, `${ROOM}/Juliet`, `${ROOM}/Romeo`, ROOM], '§7.1')
    t.same(presences(romeo, 'Juliet'), [], 'nothing is different')
    await enters(juliet, 'Juliet', { more: '<show>away</show>' })
    t.equal(presences(romeo, 'Juliet')[0]?.getChildText('show'), 'away')
    await juliet.clears()
    await enters(juliet, 'Rose')
    t.equal(presences(romeo, 'Juliet').at(-1)?.attrs.type, 'unavailable', 'also under another nick')
    t.ok(juliet.inbox.some((one) => one.getChild('subject')))
    t.equal(presences(juliet, 'Romeo').length, 1)
  })

  test(`who believes to be in a room, and is not, is told so (§7.2.18, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    for (const room of [ROOM, `nowhere@${ROOM.split('@')[1]}`]) {
      juliet.sends(`<presence to='${room}/Juliet'/>`)
      const gone = await juliet.finds(`<presence from='${room}/Juliet' type='unavailable'/>`)
      t.same(codes(gone).sort(), ['110', '307', '333'])
      t.match(item(gone), { affiliation: 'none', role: 'none' })
    }
    t.same(romeo.inbox, [])
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    juliet.sends(`<presence to='${ROOM}/Juliet' type='probe'/>`)
    await juliet.receivesNothing()
  })

  test(`a newcomer says how much of what was said he wants (§7.2.13, §7.2.14, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    for (const body of ['one', 'two', 'three']) {
      says(romeo, body)
      await w.settle()
      w.clock.advance(10_000)
    }
    const wants = async (how: string): Promise<string[]> => {
      await enters(juliet, 'Juliet', { inside: `<history ${how}/>` })
      return heard(juliet)
    }
    t.same(await wants("maxstanzas='2'"), ['two', 'three'])
    t.same(await wants("maxchars='0'"), [])
    t.same(await wants("seconds='25'"), ['two', 'three'])
    const since = new Date(w.clock.now() - 15_000).toISOString()
    t.same(await wants(`since='${since}'`), ['three'])
    t.same(await wants("maxstanzas='9' seconds='15'"), ['three'], 'the smallest of both')
    t.same(await wants("maxstanzas='nonsense'"), ['one', 'two', 'three'])
  })

  test(`who may make rooms is the operator’s to say (§7.2.11, §10.1.1, ${where})`, async (t) => {
    const rooms = { create: 'admins' }
    const w = await roomsWorld(t, { ...options, options: { rooms } })
    t.equal(await refused(w.romeo, 'Romeo'), 'not-allowed')
    await enters(w.nurse, 'Nurse')
    t.ok(codes(presences(w.nurse, 'Nurse')[0]!).includes('201'))
  })

  test(`where nicks are locked one is called as one has registered (§7.10, §7.6, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    await configures(romeo, { 'tercet#roomconfig_registerednicks': '1' })
    const item = `<item affiliation='member' jid='${juliet.account}' nick='Rose'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${item}</query>`)
    await enters(juliet, 'Juliet')
    const [self] = presences(juliet, 'Rose')
    t.same(codes(self!).sort(), ['110', '170', '210'])
    t.same(presences(juliet, 'Juliet'), [])
    juliet.sends(`<presence to='${ROOM}/Juliet'/>`)
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'not-acceptable', '§7.6')

    const mercutio = w.person('mercutio')
    await enters(mercutio, 'Mercutio')
    await romeo.clears()
    const nick = "<field var='muc#register_roomnick'><value>Queen Mab</value></field>"
    const form = `<x xmlns='jabber:x:data' type='submit'>${nick}</x>`
    await mercutio.asks('set', ROOM, `<query xmlns='jabber:iq:register'>${form}</query>`)
    const gone = presences(romeo, 'Mercutio').at(-1)
    t.same(codes(gone!), ['303'])
    t.same(codes(presences(romeo, 'Queen Mab')[0]!), ['210'])
  })
}
