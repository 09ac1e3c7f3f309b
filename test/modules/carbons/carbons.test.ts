// Message carbons (XEP-0280).

import { test } from 'tap'
import { DOMAIN, world } from '../../world/world.js'
import { LoginClient } from '../authentication/login-client.js'
import { romeo as credentials, scram2 } from '../authentication/sasl2-client.js'
import { copyIn, devices, JULIET, NS_CARBONS, ROMEO, says, seen, wantsCopies } from './devices.js'

const STORES = ['archive', 'no archive'] as const
const BARE = ['carbons', 'presence', 'client-protection']

test('the server says that it knows carbons and all their rules (XEP-0280 §3, §6.2)', async (t) => {
  const w = await world(t, { modules: ['carbons', 'disco'] })
  const info = await w.romeo.asks(
    'get',
    DOMAIN,
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  const features = info
    .getChild('query')!
    .getChildren('feature')
    .map(({ attrs }) => attrs.var)
  t.ok(features.includes('urn:xmpp:carbons:2'))
  t.ok(features.includes('urn:xmpp:carbons:rules:0'))
})

test('enabling and disabling succeed however often they are asked for (XEP-0280 §4, §5, §10.1)', async (t) => {
  const { phone, laptop, orchard } = await devices(t)
  for (const wants of [true, true, false, false, true, false]) {
    const answer = await wantsCopies(laptop, wants)
    t.equal(answer.attrs.type, 'result')
    t.equal(answer.children.length, 0)
  }
  says(phone, 'one', { to: ROMEO })
  t.same(await seen(laptop), [], 'who does not want copies gets none')
  await wantsCopies(laptop)
  says(phone, 'two', { to: ROMEO })
  t.same(await seen(laptop), ['sent two'])
  t.same(await seen(orchard), ['one', 'two'])
})

test('nobody enables copies for somebody else (XEP-0280 §4.1)', async (t) => {
  const { orchard, phone, laptop } = await devices(t)
  await wantsCopies(laptop, false)
  const answer = await orchard.asks('set', JULIET, `<enable xmlns='${NS_CARBONS}'/>`)
  t.equal(answer.attrs.type, 'error')
  says(phone, 'one', { to: ROMEO })
  t.same(await seen(laptop), [])
  t.same(await seen(orchard), ['one'], 'no copy either')
})

for (const nodes of [1, 2] as const) {
  for (const store of STORES) {
    const modules = store === 'archive' ? [...BARE, 'archive'] : BARE
    const where = `${nodes === 1 ? 'one node' : 'two nodes'}, ${store}`

    test(`what one device sends the others see, with the stanza-id of their archive (XEP-0280 §8, ${where})`, async (t) => {
      const { orchard, phone, laptop } = await devices(t, { nodes, modules })
      says(phone, 'hello', { to: orchard.jid, more: "<x xmlns='urn:example:x'>ä</x>" })
      await laptop.settle()
      const [carrier, ...more] = laptop.inbox
      t.same(more, [])
      t.equal(carrier!.attrs.type, 'chat')
      t.equal(carrier!.attrs.from, JULIET)
      t.equal(carrier!.attrs.to, laptop.jid)
      const { message, direction } = copyIn(carrier!)!
      t.equal(direction, 'sent')
      t.equal(message.attrs.from, phone.jid)
      t.equal(message.attrs.to, orchard.jid)
      t.equal(message.attrs.type, 'chat')
      t.equal(message.getChildText('body'), 'hello')
      t.equal(message.getChildText('x'), 'ä')
      const ids = message.getChildren('stanza-id').map(({ attrs }) => attrs.by)
      t.same(ids, store === 'archive' ? [JULIET] : [], 'of her archive, not of his')
      const [original] = orchard.inbox
      const his = original!.getChildren('stanza-id').map(({ attrs }) => attrs.by)
      t.same(his, store === 'archive' ? [ROMEO] : [])
      t.same(await seen(phone), [], 'not who sent it (§8)')
    })

    test(`what one device gets the others see; nobody gets both (XEP-0280 §7, ${where})`, async (t) => {
      const { orchard, phone, laptop } = await devices(t, { nodes, modules })
      says(orchard, 'directed', { to: phone.jid })
      await phone.settle()
      t.equal(phone.inbox[0]!.getChildText('body'), 'directed')
      const label = phone.inbox[0]!.getChild('stanza-id')?.attrs.id
      const { message, direction, carrier } = copyIn(laptop.inbox[0]!)!
      t.equal(direction, 'received')
      t.equal(carrier.attrs.from, JULIET)
      t.equal(carrier.attrs.to, laptop.jid)
      t.equal(message.attrs.to, phone.jid)
      t.equal(message.attrs.from, orchard.jid)
      t.equal(message.getChild('stanza-id')?.attrs.id, label)
      t.equal(label !== undefined, store === 'archive')
      t.same(await seen(phone), ['directed'])
      t.same(await seen(laptop), ['received directed'])
      says(orchard, 'both', { to: JULIET })
      t.same(await seen(phone), ['both'])
      t.same(await seen(laptop), ['both'], 'each had the original')
    })

    test(`who did not get the original gets a copy: another priority, no presence (XEP-0280 §7, ${where})`, async (t) => {
      const w = await devices(t, { nodes, modules })
      const { orchard, phone, laptop } = w
      const quiet = await w.device('juliet', 'quiet', { node: nodes - 1 })
      await wantsCopies(quiet)
      await laptop.comesOnline('<priority>-1</priority>')
      await laptop.clears()
      says(orchard, 'hello', { to: JULIET })
      t.same((await seen(phone)).slice(-1), ['hello'])
      t.same(await seen(laptop), ['received hello'])
      t.same(await seen(quiet), ['received hello'])
    })

    test(`a device that does not want copies gets none (XEP-0280 §2, ${where})`, async (t) => {
      const w = await devices(t, { nodes, modules })
      const { orchard, phone, laptop } = w
      const old = await w.device('juliet', 'old', { node: nodes - 1 })
      says(phone, 'one', { to: ROMEO })
      says(orchard, 'two', { to: phone.jid })
      t.same((await seen(laptop)).sort(), ['received two', 'sent one'])
      t.same(await seen(old), [])
    })

    test(`a message to oneself comes to each device once (XEP-0280 §7, §8, ${where})`, async (t) => {
      const w = await devices(t, { nodes, modules })
      const { phone, laptop } = w
      says(phone, 'note', { to: JULIET })
      t.same(await seen(phone), ['note'], 'RFC 6121 §8.5.2.1.1')
      t.same(await seen(laptop), ['note'])
      const tablet = await w.device('juliet', 'tablet', { node: nodes - 1 })
      await wantsCopies(tablet)
      for (const device of [phone, laptop]) await device.clears()
      says(phone, 'to the laptop', { to: laptop.jid })
      t.same(await seen(phone), [])
      t.same(await seen(laptop), ['to the laptop'])
      t.same(await seen(tablet), ['sent to the laptop'])
    })
  }
}

const CHAT_STATES = 'http://jabber.org/protocol/chatstates'
const MUC_USER = 'http://jabber.org/protocol/muc#user'

/** XEP-0280 §6.1, of messages between people; each for what is sent and for what is received. */
const RULES: readonly { what: string; xml: string; copied: boolean; received?: boolean }[] = [
  { what: 'chat', xml: "type='chat'><body>a</body>", copied: true },
  { what: 'chat without a body', xml: "type='chat'><a xmlns='urn:example:a'/>", copied: true },
  { what: 'normal with a body', xml: "type='normal'><body>a</body>", copied: true },
  { what: 'no type, with a body', xml: '><body>a</body>', copied: true },
  { what: 'normal without a body', xml: "type='normal'><a xmlns='urn:example:a'/>", copied: false },
  { what: 'a receipt', xml: "><received xmlns='urn:xmpp:receipts' id='1'/>", copied: true },
  { what: 'a chat state', xml: `><active xmlns='${CHAT_STATES}'/>`, copied: true },
  { what: 'a marker', xml: "><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", copied: true },
  { what: 'a headline', xml: "type='headline'><body>a</body>", copied: false },
  { what: 'groupchat', xml: "type='groupchat'><body>a</body>", copied: false },
  { what: 'an error', xml: "type='error' id='e'><error type='cancel'/>", copied: true },
  {
    what: 'private',
    xml: `type='chat'><body>a</body><private xmlns='${NS_CARBONS}'/>`,
    copied: false,
  },
  {
    what: 'no-copy',
    xml: "type='chat'><body>a</body><no-copy xmlns='urn:xmpp:hints'/>",
    copied: false,
  },
  { what: 'an invitation', xml: "><x xmlns='jabber:x:conference' jid='r@x'/>", copied: true },
  {
    what: 'a mediated invitation',
    xml: `><x xmlns='${MUC_USER}'><invite from='a@b'/></x>`,
    copied: true,
  },
  {
    what: 'a private message in a room',
    xml: `type='chat'><body>a</body><x xmlns='${MUC_USER}'/>`,
    copied: true,
    received: false,
  },
]

test('which messages are copied (XEP-0280 §6.1, §9, XEP-0334 §4.3)', async (t) => {
  const { orchard, phone, laptop } = await devices(t)
  for (const { what, xml, copied, received = copied } of RULES) {
    phone.sends(`<message to='${orchard.jid}' ${xml}</message>`)
    const sent = (await seen(laptop)).filter((word) => word.startsWith('sent'))
    t.equal(sent.length, copied ? 1 : 0, `${what}, sent`)
    orchard.sends(`<message to='${phone.jid}' ${xml}</message>`)
    const got = (await seen(laptop)).filter((word) => word.startsWith('received'))
    t.equal(got.length, received ? 1 : 0, `${what}, received`)
    for (const device of [orchard, phone, laptop]) await device.clears()
  }
})

test('<private/> and <no-copy/> reach the recipient as they are (XEP-0280 §9)', async (t) => {
  const { orchard, phone } = await devices(t)
  const more = `<private xmlns='${NS_CARBONS}'/><no-copy xmlns='urn:xmpp:hints'/>`
  says(phone, 'secret', { to: orchard.jid, more })
  await orchard.receives(`<message id='secret'>${more}</message>`)
})

test('an error that a copy comes back with goes no further (XEP-0280 §10.3)', async (t) => {
  const { orchard, phone, laptop } = await devices(t)
  says(orchard, 'hello', { to: phone.jid })
  await laptop.clears()
  await phone.clears()
  laptop.sends(`<message to='${JULIET}' type='error' id='hello'><error type='cancel'/></message>`)
  t.same(await seen(orchard), [])
  t.same(await seen(phone), [])
  t.same(await seen(laptop), [])
})

for (const store of STORES) {
  const modules = store === 'archive' ? [...BARE, 'archive'] : BARE
  test(`of what reaches nobody other devices see that it was sent, and the error (XEP-0280 §6.1, §8, ${store})`, async (t) => {
    const { orchard, phone, laptop } = await devices(t, { modules })
    await orchard.leaves()
    const more = "<no-store xmlns='urn:xmpp:hints'/>"
    says(phone, 'late', { to: orchard.jid, type: 'normal', more })
    t.same(await seen(phone), ['error late'], 'RFC 6121 §8.5.3.2.1')
    t.same(await seen(laptop), ['sent late', 'received error late'])
  })
}

test('what its recipient finds in the archive is no error (RFC 6121 §8.5.3.2.1)', async (t) => {
  const { orchard, phone, laptop } = await devices(t)
  await orchard.leaves()
  says(phone, 'late', { to: orchard.jid, type: 'normal' })
  t.same(await seen(phone), [])
  t.same(await seen(laptop), ['sent late'])
})

test('what was refused before it was anywhere is not copied', async (t) => {
  const { phone, laptop } = await devices(t)
  says(phone, 'nobody', { to: `tybalt@${DOMAIN}` })
  t.same(await seen(phone), ['error nobody'])
  t.same(await seen(laptop), ['received error nobody'])
})

test('copies go where nothing else goes wrong: a session that is gone elsewhere is no harm', async (t) => {
  const w = await devices(t, { nodes: 2 })
  const { phone, laptop } = w
  const place = { id: 'gone', node: 'node7', resource: 'burnt', available: true, priority: 0 }
  await w.server.directory.put(JULIET, place)
  says(phone, 'hello', { to: ROMEO })
  t.same(await seen(laptop), ['sent hello'])
})

test('a copy is asked for within the login (XEP-0386 §3.2)', async (t) => {
  const w = await world(t, { modules: ['carbons', 'presence', 'authentication'], loggedIn: false })
  const phone = await w.device('romeo', 'phone')
  const login = await LoginClient.connect(w)
  const inline = login.features.getChild('authentication')!.getChild('inline')!
  const offered = inline.getChild('bind')!.getChild('inline')!.getChildren('feature')
  t.ok(offered.some(({ attrs }) => attrs.var === NS_CARBONS))
  const inside = `<bind xmlns='urn:xmpp:bind:0'><enable xmlns='${NS_CARBONS}'/></bind>`
  const { answer } = await scram2(login, credentials, { inside })
  t.equal(answer.getChild('bound')!.children.length, 0)
  await login.client.clears()
  says(phone, 'hello', { to: JULIET })
  t.same((await seen(login.client))[0], 'sent hello')
})

test('a copy is not overtaken while nobody knows where an account is (RFC 6120 §10.1)', async (t) => {
  const { server, orchard, phone, laptop } = await devices(t)
  const { directory } = server
  const lookup = directory.lookup.bind(directory)
  let last: Promise<unknown> = Promise.resolve()
  directory.lookup = async (account) => {
    const before = last
    const answer = before.then(() => lookup(account))
    last = answer
    return answer
  }
  says(orchard, 'one', { to: `${JULIET}/phone` })
  says(orchard, 'two', { to: JULIET })
  says(orchard, 'three', { to: `${JULIET}/phone` })
  t.same(await seen(laptop), ['received one', 'two', 'received three'])
  t.same(await seen(phone), ['one', 'two', 'three'])
})
