// Client state indication (XEP-0352): what waits for a client that nobody looks at, and when it comes.

import { test } from 'tap'
import { world } from '../../world/world.js'
import { LoginClient } from '../authentication/login-client.js'
import { romeo as credentials, scram2 } from '../authentication/sasl2-client.js'
import {
  came,
  JULIET,
  marks,
  modules,
  NS_CSI,
  pocket,
  ROMEO,
  says,
  shows,
  types,
  writes,
} from './pocket.js'

test('it is offered to whoever is logged in, and within Bind 2 (XEP-0352 §4.1, XEP-0386 §3.1)', async (t) => {
  const w = await world(t, { modules: ['client-state'], loggedIn: false })
  const login = await LoginClient.connect(w)
  t.notOk(login.features.getChild('csi'), 'not before the login')
  const inline = login.features.getChild('authentication')!.getChild('inline')!
  const listed = inline.getChild('bind')!.getChild('inline')!.getChildren('feature')
  t.ok(listed.some(({ attrs }) => attrs.var === NS_CSI))
  await scram2(login, credentials)
  t.ok((await login.next()).getChild('csi', NS_CSI))
})

test('a client may be inactive from its login on (XEP-0386 §3.2)', async (t) => {
  const w = await world(t, { modules: [...modules, 'authentication'], loggedIn: false })
  const juliet = await w.device('juliet')
  const login = await LoginClient.connect(w)
  const inside = `<bind xmlns='urn:xmpp:bind:0'><inactive xmlns='${NS_CSI}'/></bind>`
  await scram2(login, credentials, { inside })
  await login.client.clears()
  await login.client.comesOnline()
  shows(juliet, 'away', ROMEO)
  await login.client.receivesNothing()
  says(login.client, 'active')
  t.same(await came(login.client), ['presence', 'away'], 'its own presence and hers')
})

test('of a presence and of a chat state the latest waits, and comes with <active/> (XEP-0352 §3.2)', async (t) => {
  const { orchard, phone } = await pocket(t)
  for (const show of ['away', 'xa', 'dnd']) shows(orchard, show)
  for (const state of ['active', 'composing', 'paused']) types(orchard, state)
  shows(orchard, 'chat')
  t.same(await came(phone), [])
  says(phone, 'active')
  t.same(await came(phone), ['paused', 'chat'])
  shows(orchard, 'away')
  types(orchard, 'composing')
  t.same(await came(phone), ['away', 'composing'], 'now it is active')
})

test('presence of each resource counts, and the last word may be that it left', async (t) => {
  const w = await pocket(t)
  const garden = await w.device('romeo', 'garden')
  shows(w.orchard, 'away')
  shows(garden, 'xa')
  w.orchard.sends(`<presence to='${JULIET}' type='unavailable'/>`)
  t.same(await came(w.phone), [])
  says(w.phone, 'active')
  t.same(await came(w.phone), ['xa', 'unavailable'])
})

test('what is urgent brings what waits, before it and in order', async (t) => {
  const { orchard, phone } = await pocket(t)
  shows(orchard, 'away')
  marks(orchard, 'mark')
  types(orchard, 'composing')
  writes(orchard, 'hello')
  t.same(await came(phone), ['away', 'mark', 'composing', 'hello'])
  shows(orchard, 'xa')
  t.same(await came(phone), [], 'it is still inactive')
  await orchard.asks('get', phone.jid, "<ping xmlns='urn:xmpp:ping'/>").catch(() => undefined)
  t.same((await came(phone)).slice(0, 1), ['xa'], 'requests are urgent')
})

test('<active/> is done before what follows it (XEP-0352 §5.1)', async (t) => {
  const { orchard, phone } = await pocket(t)
  shows(orchard, 'away')
  await phone.settle()
  phone.sends(
    `<active xmlns='${NS_CSI}'/><iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>`,
  )
  t.same(await came(phone), ['away', 'ping'])
})

test('nobody hears of the state, and it has nothing to do with presence (XEP-0352 §5, §6)', async (t) => {
  const { orchard, phone } = await pocket(t)
  says(phone, 'active')
  says(phone, 'inactive')
  says(phone, 'inactive')
  t.same(await came(orchard), [])
  t.same(await came(phone), [])
  const places = await phone.server.directory.lookup(JULIET)
  t.same(
    places.map(({ available, priority }) => ({ available, priority })),
    [{ available: true, priority: 0 }],
  )
})

test('notifications of one item: the latest waits; of others each (XEP-0352 §3.2, XEP-0060 §7.1.2.1)', async (t) => {
  const { orchard, phone } = await pocket(t)
  const EVENT = 'http://jabber.org/protocol/pubsub#event'
  const event = (id: string, node: string, items: string): void => {
    const inside = `<event xmlns='${EVENT}'><items node='${node}'>${items}</items></event>`
    orchard.sends(`<message type='headline' to='${phone.jid}' id='${id}'>${inside}</message>`)
  }
  event('1', 'tune', "<item id='current'/>")
  event('2', 'mood', "<item id='current'/>")
  event('3', 'tune', "<item id='current'/>")
  event('4', 'bookmarks', "<item id='a'/>")
  event('5', 'bookmarks', "<item id='b'/>")
  event('6', 'bookmarks', "<retract id='a'/>")
  event('7', 'tune', "<item id='x'/><item id='y'/>")
  t.same(await came(phone), [])
  says(phone, 'active')
  t.same(await came(phone), ['2', '3', '5', '6', '7'])
})

test('a request for a subscription does not wait, nor an error, nor that a room was entered (XEP-0045 §7.2.2)', async (t) => {
  const { orchard, phone } = await pocket(t)
  orchard.sends(`<presence to='${JULIET}' type='subscribe'/>`)
  t.same(await came(phone), ['subscribe'])
  orchard.sends(`<presence to='${phone.jid}' type='error' id='e'><error type='cancel'/></presence>`)
  t.same(await came(phone), ['e'])
  const inRoom = (code: string): void => {
    const x = `<x xmlns='http://jabber.org/protocol/muc#user'><status code='${code}'/></x>`
    orchard.sends(`<presence to='${phone.jid}' id='${code}'>${x}</presence>`)
  }
  inRoom('100')
  t.same(await came(phone), [])
  inRoom('110')
  t.same(await came(phone), ['100', '110'])
})

test('what waits is bounded: when it is too much it goes (LIM-client-state)', async (t) => {
  const { orchard, phone } = await pocket(t, { options: { 'client-state': { most: 10 } } })
  for (let i = 0; i < 10; i++) marks(orchard, `${i}`)
  t.same(await came(phone), [])
  marks(orchard, '10')
  t.equal((await came(phone)).length, 11)
  const padding = 'x'.repeat(60_000)
  for (let i = 0; i < 4; i++)
    orchard.sends(
      `<message type='headline' to='${JULIET}' id='${i}'><body>${padding}</body></message>`,
    )
  t.same(await came(phone), [])
  orchard.sends(`<message type='headline' to='${JULIET}' id='4'><body>${padding}</body></message>`)
  t.same(await came(phone), ['0', '1', '2', '3', '4'], 'bytes count too')
})

test('what came late says when it was sent (XEP-0203 §2)', async (t) => {
  const w = await pocket(t)
  const sent = new Date(w.clock.now()).toISOString()
  marks(w.orchard, 'mark')
  await w.settle()
  w.clock.advance(60_000)
  says(w.phone, 'active')
  await w.phone.settle()
  t.equal(w.phone.inbox[0]?.getChild('delay', 'urn:xmpp:delay')?.attrs.stamp, sent)
})

test('questions between nodes are answered while the client is inactive (RFC 6121 §4.3.2)', async (t) => {
  const w = await pocket(t, { nodes: 2 })
  shows(w.orchard, 'away')
  const laptop = await w.device('juliet', 'laptop')
  await laptop.comesOnline()
  await w.settle()
  await laptop.finds(`<presence from='${w.phone.jid}'/>`)
  t.same(await came(w.phone), [])
  says(w.phone, 'active')
  t.same((await came(w.phone)).sort(), ['away', 'presence'])
})

test('what waits is written before the stream of a client that goes is closed (RFC 6120 §4.4)', async (t) => {
  const { orchard, phone } = await pocket(t)
  shows(orchard, 'away')
  types(orchard, 'composing')
  await phone.receivesNothing()
  phone.sends('</stream:stream>')
  t.same(await came(phone), ['away', 'composing'])
  t.ok(phone.closed)
})
