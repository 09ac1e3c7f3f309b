// Copies that somebody else wraps up as if the recipient's own account had sent them (SEC-50), and results of archives that
// nobody asked (SEC-52).

import { test } from 'tap'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../world/world.js'

const modules = ['presence', 'roster', 'client-protection'] as const
const copy = (name: string, xmlns = 'urn:xmpp:carbons:2') =>
  `<${name} xmlns='${xmlns}'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@${DOMAIN}' to='juliet@${DOMAIN}'><body>Run!</body></message></forwarded></${name}>`

test('SEC-50: copies of somebody else are taken out, the rest is delivered (XEP-0280 §11)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  for (const to of [juliet.jid, juliet.account]) {
    await juliet.comesOnline()
    await juliet.clears()
    romeo.sends(
      `<message to='${to}' type='chat' id='1'>${copy('sent')}<body>hello</body>${copy('received')}<x xmlns='urn:x'/>${copy('sent')}</message>`,
    )
    const message = await juliet.receives("<message id='1'><body>hello</body></message>")
    t.same(
      message.getChildElements().map(({ name }) => name),
      ['body', 'x'],
    )
  }
})

test('SEC-50: however the namespace is written, and of whatever type the message is', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  const disguises = [
    copy('sent')
      .replace("<sent xmlns='urn:xmpp:carbons:2'", "<c:sent xmlns:c='urn:xmpp:carbons:2'")
      .replace('</sent>', '</c:sent>'),
    copy('received', '&#x75;rn:xmpp:carbons:2'),
    copy('sent').replace(/'urn:xmpp:carbons:2'/, '"urn:xmpp:carbons:2"'),
  ]
  for (const disguise of disguises) {
    for (const type of ['normal', 'chat', 'headline', 'error', 'groupchat']) {
      romeo.sends(`<message to='${juliet.jid}' type='${type}' id='1'>${disguise}</message>`)
      const message = await juliet.receives("<message id='1'/>")
      t.equal(message.getChildElements().length, 0, `${type}: ${message}`)
    }
  }
})

test('SEC-50: not even an own device may; the account itself may', async (t) => {
  const w = await world(t, { modules })
  const laptop = await w.device('juliet', 'laptop')
  laptop.sends(`<message to='${w.juliet.jid}' id='1'>${copy('sent')}</message>`)
  t.equal((await w.juliet.receives("<message id='1'/>")).getChildElements().length, 0)
  laptop.sends(
    `<message to='${w.juliet.jid}' from='juliet@${DOMAIN}' id='2'>${copy('sent')}</message>`,
  )
  t.equal((await w.juliet.receives("<message id='2'/>")).getChildElements().length, 0)
  w.server.router.send(
    Stanza.parse(`<message xmlns='jabber:client' id='3'>${copy('sent')}</message>`),
    {
      from: Jid.parse(w.juliet.account),
      to: Jid.parse(w.juliet.jid),
    },
  )
  await w.juliet.receives("<message id='3'><sent xmlns='urn:xmpp:carbons:2'/></message>")
})

test('the wish to have no copies made stays (XEP-0280 §9)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  romeo.sends(
    `<message to='${juliet.jid}' id='1'><body>!</body><private xmlns='urn:xmpp:carbons:2'/></message>`,
  )
  await juliet.receives(
    "<message id='1'><body>!</body><private xmlns='urn:xmpp:carbons:2'/></message>",
  )
})

const result = (xmlns = 'urn:xmpp:mam:2', name = 'result') =>
  `<${name} xmlns='${xmlns}' id='1'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@${DOMAIN}'><body>Run!</body></message></forwarded></${name}>`

test('SEC-52: results of an archive that people made up are taken out (XEP-0313 §8.2)', async (t) => {
  const w = await world(t, { modules })
  const laptop = await w.device('juliet', 'laptop')
  await w.juliet.comesOnline()
  await w.juliet.clears()
  const made = [
    result(),
    result('urn:xmpp:mam:1'),
    result('urn:xmpp:mam:0', 'fin'),
    result('urn:xmpp:mam:tmp'),
    result('&#x75;rn:xmpp:mam:2'),
    result()
      .replace("<result xmlns='urn:xmpp:mam:2'", "<m:result xmlns:m='urn:xmpp:mam:2'")
      .replace('</result>', '</m:result>'),
  ]
  for (const sender of [w.romeo, laptop]) {
    for (const to of [w.juliet.jid, w.juliet.account]) {
      for (const forged of made) {
        sender.sends(`<message to='${to}' id='1'>${forged}<body>hello</body>${forged}</message>`)
        const message = await w.juliet.receives("<message id='1'><body>hello</body></message>")
        t.same(
          message.getChildElements().map(({ name }) => name),
          ['body'],
          forged,
        )
      }
    }
  }
})

test('SEC-52: the archives of rooms and of the account itself answer whom they want', async (t) => {
  const { server, juliet } = await world(t, { modules })
  for (const from of ['room@rooms.example', 'archive.example', juliet.account]) {
    const stanza = Stanza.parse(`<message xmlns='jabber:client' id='1'>${result()}</message>`)
    server.router.send(stanza, { from: Jid.parse(from), to: Jid.parse(juliet.jid) })
    await juliet.receives("<message id='1'><result xmlns='urn:xmpp:mam:2'/></message>")
  }
  const stanza = Stanza.parse(`<message xmlns='jabber:client' id='1'>${result()}</message>`)
  const person = Jid.parse('room@rooms.example/tybalt')
  server.router.send(stanza, { from: person, to: Jid.parse(juliet.jid) })
  t.equal((await juliet.receives("<message id='1'/>")).getChildElements().length, 0)
})
