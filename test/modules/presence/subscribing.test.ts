// Subscriptions between two accounts (RFC 6121 §3), as their clients see them.

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { defineModule } from '../../../lib/core/module.js'
import roster from '../../../modules/roster/roster.js'
import type { Client } from '../../world/client.js'
import { world } from '../../world/world.js'

const modules = ['presence']
const ROMEO = 'romeo@capulet.example'
const JULIET = 'juliet@capulet.example'

async function present(...clients: Client[]): Promise<void> {
  for (const client of clients) {
    await client.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
    await client.comesOnline()
  }
  for (const client of clients) await client.clears()
}

function item(attributes: string): string {
  return `<iq type='set'><query xmlns='jabber:iq:roster'><item ${attributes}/></query></iq>`
}

test('a request, its approval, and the presence that follows (RFC 6121 §3.1)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  romeo.sends(
    `<presence type='subscribe' to='${JULIET}/phone' id='s1'><status>Hark</status></presence>`,
  )
  await romeo.receives(item(`jid='${JULIET}' subscription='none' ask='subscribe'`))
  await juliet.receives(
    `<presence type='subscribe' from='${ROMEO}' to='${JULIET}' id='s1'><status>Hark</status></presence>`,
  )
  await juliet.receivesNothing()

  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await juliet.receives(item(`jid='${ROMEO}' subscription='from'`))
  await romeo.receives(`<presence type='subscribed' from='${JULIET}' to='${ROMEO}'/>`)
  const push = await romeo.receives(item(`jid='${JULIET}' subscription='to'`))
  t.equal(push.getChild('query')?.getChild('item')?.attrs.ask, undefined)
  await romeo.receives(`<presence from='${JULIET}/phone' to='${ROMEO}'/>`)
  await romeo.receivesNothing()
  await juliet.receivesNothing()
})

test('a request is shown at every login until it is answered (RFC 6121 §3.1.3)', async (t) => {
  const { romeo, juliet, device } = await world(t, { modules })
  await present(romeo)
  romeo.sends(
    `<presence type='subscribe' to='${JULIET}' id='s1'><status>Hark é</status><x xmlns='urn:x'/></presence>`,
  )
  romeo.sends(`<presence type='subscribe' to='${JULIET}' id='s2'/>`)
  await juliet.comesOnline()
  await juliet.receives(`<presence from='${JULIET}/phone'/>`)
  const asked = `<presence type='subscribe' from='${ROMEO}' to='${JULIET}' id='s1'><status>Hark é</status><x xmlns='urn:x'/></presence>`
  await juliet.receives(asked)
  await juliet.receivesNothing()

  const laptop = await device('juliet')
  await laptop.comesOnline()
  await laptop.finds(asked)
  await laptop.clears()
  laptop.sends(`<presence type='unsubscribed' to='${ROMEO}'/>`)
  await laptop.settle()
  const tablet = await device('juliet', 'tablet')
  await tablet.comesOnline()
  t.notOk(tablet.inbox.some((element) => element.attrs.type === 'subscribe'))
})

test('a request that is repeated is shown once (RFC 6121 appendix A.3.1)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  for (const id of ['1', '2']) romeo.sends(`<presence type='subscribe' to='${JULIET}' id='${id}'/>`)
  await juliet.receives("<presence type='subscribe' id='1'/>")
  await juliet.receivesNothing()
})

test('LIM-subscription-request-size: of a long request the request is kept (RFC 6121 §3.1.3)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  const padding = `<x xmlns='urn:x'>${'x'.repeat(5000)}</x>`
  romeo.sends(
    `<presence type='subscribe' to='${JULIET}'><status>Hark</status>${padding}</presence>`,
  )
  await romeo.settle()
  await juliet.comesOnline()
  const request = await juliet.finds("<presence type='subscribe'><status>Hark</status></presence>")
  t.equal(request.getChild('x'), undefined)
})

test('LIM-subscription-requests: strangers fill a list that has an end (SEC-64)', async (t) => {
  const { romeo, juliet, server } = await world(t, { modules })
  await present(romeo, juliet)
  const subscribe = Stanza.parse("<presence type='subscribe'/>")
  for (let at = 0; at < 200; at++) {
    await server.router.send(subscribe, {
      from: Jid.parse(`s${at}@x.example`),
      to: Jid.parse(JULIET),
    })
  }
  await juliet.settle()
  t.equal(juliet.inbox.length, 200)
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.receives("<presence type='error'><error><resource-constraint/></error></presence>")
  await romeo.receivesNothing()
})

test('a request is denied (RFC 6121 §3.2)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.clears()
  await juliet.clears()
  juliet.sends(`<presence type='unsubscribed' to='${ROMEO}'/>`)
  await romeo.receives(`<presence type='unsubscribed' from='${JULIET}' to='${ROMEO}'/>`)
  const push = await romeo.receives(item(`jid='${JULIET}' subscription='none'`))
  t.equal(push.getChild('query')?.getChild('item')?.attrs.ask, undefined)
  await romeo.receivesNothing()
  await juliet.receivesNothing()
})

async function mutual(romeo: Client, juliet: Client): Promise<void> {
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.settle()
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  juliet.sends(`<presence type='subscribe' to='${ROMEO}'/>`)
  await juliet.settle()
  romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  await romeo.clears()
  await juliet.clears()
}

test('a subscription is cancelled; unavailable comes while it still counts (RFC 6121 §3.2.2)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  await mutual(romeo, juliet)
  juliet.sends(`<presence type='unsubscribed' to='${ROMEO}'/>`)
  await romeo.receives(`<presence type='unavailable' from='${JULIET}/phone' to='${ROMEO}'/>`)
  await romeo.receives(`<presence type='unsubscribed' from='${JULIET}' to='${ROMEO}'/>`)
  await romeo.receives(item(`jid='${JULIET}' subscription='from'`))
  await romeo.receivesNothing()
  await juliet.receives(item(`jid='${ROMEO}' subscription='to'`))
  await juliet.receivesNothing()
  juliet.sends('<presence><show>away</show></presence>')
  await romeo.receivesNothing()
  romeo.sends('<presence><show>away</show></presence>')
  await juliet.finds(`<presence from='${ROMEO}/phone'><show>away</show></presence>`)
})

test('somebody unsubscribes (RFC 6121 §3.3)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  await mutual(romeo, juliet)
  romeo.sends(`<presence type='unsubscribe' to='${JULIET}'/>`)
  await juliet.receives(`<presence type='unsubscribe' from='${ROMEO}' to='${JULIET}'/>`)
  await juliet.receives(item(`jid='${ROMEO}' subscription='to'`))
  await juliet.receivesNothing()
  await romeo.finds(item(`jid='${JULIET}' subscription='from'`))
  await romeo.finds(`<presence type='unavailable' from='${JULIET}/phone' to='${ROMEO}'/>`)
  await romeo.receivesNothing()
})

test('an approval in advance answers by itself (RFC 6121 §3.4)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await juliet.receives(item(`jid='${ROMEO}' subscription='none' approved='true'`))
  await romeo.receivesNothing()
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.receives(item(`jid='${JULIET}' subscription='none' ask='subscribe'`))
  await romeo.receives(`<presence type='subscribed' from='${JULIET}' to='${ROMEO}'/>`)
  await romeo.receives(item(`jid='${JULIET}' subscription='to'`))
  await romeo.receives(`<presence from='${JULIET}/phone' to='${ROMEO}'/>`)
  await juliet.receives(item(`jid='${ROMEO}' subscription='from'`))
  await juliet.receivesNothing()
})

test('an approval in advance is taken back (RFC 6121 §3.4.1)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  juliet.sends(`<presence type='unsubscribed' to='${ROMEO}'/>`)
  await juliet.clears()
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await juliet.receives("<presence type='subscribe'/>")
})

test('who asks again although subscribed is answered and shown the presence (RFC 6121 §3.1.3)', async (t) => {
  const { romeo, juliet, server } = await world(t, { modules })
  await present(romeo, juliet)
  await mutual(romeo, juliet)
  const subscribe = Stanza.parse("<presence type='subscribe'/>")
  await server.router.send(subscribe, { from: Jid.parse(ROMEO), to: Jid.parse(JULIET) })
  await romeo.receives(`<presence from='${JULIET}/phone' to='${ROMEO}'/>`)
  await juliet.receivesNothing()
})

test('both ask each other at the same time (RFC 6121 appendix A)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await present(romeo, juliet)
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  juliet.sends(`<presence type='subscribe' to='${ROMEO}'/>`)
  await romeo.settle()
  await romeo.finds(`<presence type='subscribe' from='${JULIET}'/>`)
  await juliet.finds(`<presence type='subscribe' from='${ROMEO}'/>`)
  romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await romeo.settle()
  for (const [client, other] of [
    [romeo, JULIET],
    [juliet, ROMEO],
  ] as const) {
    await client.finds(item(`jid='${other}' subscription='both'`))
    await client.finds(`<presence from='${other}/phone'/>`)
  }
})

test('subscriptions to nobody look like subscriptions to somebody silent (RFC 6121 §8.5.1; SEC-22)', async (t) => {
  const { romeo } = await world(t, { modules })
  await present(romeo)
  romeo.sends("<presence type='subscribe' to='tybalt@capulet.example'/>")
  await romeo.receives(item("jid='tybalt@capulet.example' subscription='none' ask='subscribe'"))
  await romeo.receivesNothing()
})

test('a subscription that cannot be is refused (RFC 6121 §3.1.2)', async (t) => {
  const { romeo } = await world(t, { modules })
  await present(romeo)
  romeo.sends("<presence type='subscribe' id='a'/>")
  await romeo.receives("<presence type='error' id='a'><error><bad-request/></error></presence>")
  romeo.sends(`<presence type='subscribe' to='${ROMEO}' id='b'/>`)
  await romeo.receives("<presence type='error' id='b'><error><not-allowed/></error></presence>")
  romeo.sends("<presence type='subscribe' to='paris@elsewhere.example' id='c'/>")
  await romeo.receives(
    "<presence type='error' id='c' from='paris@elsewhere.example'><error><remote-server-not-found/></error></presence>",
  )
  const roster = await romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  t.equal(roster.getChild('query')?.children.length, 0)
})

test('what nobody asked for changes nothing and writes nothing (RFC 6121 appendix A.3)', async (t) => {
  const { romeo, juliet, server } = await world(t, { modules })
  await present(romeo, juliet)
  const [from, to] = [Jid.parse(ROMEO), Jid.parse(JULIET)]
  for (const type of ['subscribed', 'unsubscribed', 'unsubscribe']) {
    await server.router.send(Stanza.parse(`<presence type='${type}'/>`), { from, to })
  }
  for (const type of ['unsubscribed', 'unsubscribe']) {
    romeo.sends(`<presence type='${type}' to='${JULIET}'/>`)
  }
  await juliet.receivesNothing()
  await romeo.receivesNothing()
  t.same(await server.database.knex('roster_versions'), [])
})

test('a resource that asked for the roster sees answers before it is available (RFC 6121 §3.1.6)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.clears()
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await romeo.receives(`<presence type='subscribed' from='${JULIET}'/>`)
  await romeo.receives(item(`jid='${JULIET}' subscription='to'`))
  await romeo.receivesNothing()
})

test('an approval in advance goes nowhere, so it may be for anybody (RFC 6121 §3.4.1)', async (t) => {
  const { romeo } = await world(t, { modules })
  await present(romeo)
  romeo.sends("<presence type='subscribed' to='paris@elsewhere.example'/>")
  await romeo.receives(item("jid='paris@elsewhere.example' subscription='none' approved='true'"))
  await romeo.receivesNothing()
  t.pass()
})

test('accounts of two hosts of one server subscribe, see each other and part (RFC 6121 §3)', async (t) => {
  const paris = 'paris@montague.example'
  const hosts = ['montague.example']
  const { romeo, person } = await world(t, { modules, hosts, people: ['romeo', paris] })
  const other = person(paris)
  await present(romeo, other)
  romeo.sends(`<presence type='subscribed' to='${paris}'/>`)
  romeo.sends(`<presence type='subscribe' to='${paris}'/>`)
  await other.finds(`<presence type='subscribe' from='${ROMEO}'/>`)
  other.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  other.sends(`<presence type='subscribe' to='${ROMEO}'/>`)
  await romeo.finds(item(`jid='${paris}' subscription='both'`))
  await other.finds(item(`jid='${ROMEO}' subscription='both'`))
  await romeo.finds(`<presence from='${paris}/phone'/>`)
  await other.finds(`<presence from='${ROMEO}/phone'/>`)
  for (const client of [romeo, other]) await client.clears()
  const remove = `<item jid='${paris}' subscription='remove'/>`
  await romeo.asks('set', undefined, `<query xmlns='jabber:iq:roster'>${remove}</query>`)
  await other.finds(`<presence type='unavailable' from='${ROMEO}/phone'/>`)
  await other.finds(item(`jid='${ROMEO}' subscription='none'`))
  await romeo.finds(`<presence type='unavailable' from='${paris}/phone'/>`)
  t.pass()
})

test('an approval shows sessions of every node, its end hides them (RFC 6121 §3.1.5, §3.2.2)', async (t) => {
  const { romeo, juliet, device, settle } = await world(t, { modules, nodes: 2 })
  const tablet = await device('juliet', 'tablet', { node: 1 })
  await present(romeo, juliet, tablet)
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await settle()
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await settle()
  await romeo.finds(`<presence from='${JULIET}/phone'/>`)
  await romeo.finds(`<presence from='${JULIET}/tablet'/>`)
  await tablet.finds(item(`jid='${ROMEO}' subscription='from'`))
  juliet.sends(`<presence type='unsubscribed' to='${ROMEO}'/>`)
  await settle()
  await romeo.finds(`<presence type='unavailable' from='${JULIET}/phone'/>`)
  await romeo.finds(`<presence type='unavailable' from='${JULIET}/tablet'/>`)
  t.pass()
})

test('what cannot be stored is neither told nor shown', async (t) => {
  const failing = defineModule({
    name: 'failing',
    summary: 'Lets the store of rosters fail',
    requires: [roster],
    setup(host) {
      const { store } = host.use(roster)
      store.change = () => Promise.reject(new Error('the disk is full'))
      return {}
    },
  })
  const { romeo, juliet } = await world(t, { modules: ['presence', failing], mayFail: true })
  await present(romeo, juliet)
  romeo.sends(`<presence type='subscribe' to='${JULIET}' id='s'/>`)
  await romeo.receives(
    "<presence type='error' id='s'><error><internal-server-error/></error></presence>",
  )
  const query = `<query xmlns='jabber:iq:roster'><item jid='${JULIET}'/></query>`
  const answer = await romeo.asks('set', undefined, query)
  t.ok(answer.getChild('error')?.getChild('internal-server-error'))
  const empty = await romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  t.equal(empty.getChild('query')?.children.length, 0)
  await romeo.receivesNothing()
  await juliet.receivesNothing()
})
