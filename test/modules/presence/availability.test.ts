// Who hears that somebody comes, changes and goes (RFC 6121 §4).

import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Item } from '../../../modules/roster/item.js'
import type { Client } from '../../world/client.js'
import { type World, world } from '../../world/world.js'
import presence from '../../../modules/presence/presence.js'
import roster from '../../../modules/roster/roster.js'
import type { Rosters } from '../../../modules/roster/rosters.js'

const ROMEO = 'romeo@capulet.example'
const JULIET = 'juliet@capulet.example'
const NURSE = 'nurse@capulet.example'

/** Hands a test the rosters of each node, and counts events. */
function spy() {
  const rosters: Rosters[] = []
  const events: string[] = []
  const module = defineModule({
    name: 'spy',
    summary: 'Looks over the shoulder of presence',
    requires: [roster, presence],
    setup(host) {
      rosters.push(host.use(roster))
      return {
        on: {
          'session:available': ({ session }) => void events.push(`${session.jid} came`),
          'session:unavailable': ({ session }) => void events.push(`${session.jid} went`),
        },
      }
    },
  })
  return { rosters, events, modules: ['presence', module] }
}

async function befriend(
  here: World,
  rosters: readonly Rosters[],
  ...pair: string[]
): Promise<void> {
  const host = here.server.hosts.get('capulet.example')!
  const [one, other] = await Promise.all(pair.map((name) => host.accounts!.lookup(name)))
  await rosters[0]!.setMutual(one!, other!)
}

async function friends(t: Parameters<typeof world>[0], options: Parameters<typeof world>[1] = {}) {
  const spying = spy()
  const here = await world(t, { ...options, modules: spying.modules })
  await befriend(here, spying.rosters, 'romeo', 'juliet')
  return { here, ...spying, romeo: here.romeo, juliet: here.juliet }
}

const from = (address: string, inside = '') => `<presence from='${address}'>${inside}</presence>`
const gone = (address: string, inside = '') =>
  `<presence type='unavailable' from='${address}'>${inside}</presence>`

test('initial presence goes to contacts and to the resource itself (RFC 6121 §4.2.2)', async (t) => {
  const { romeo, juliet, events } = await friends(t)
  await juliet.comesOnline()
  await juliet.clears()
  romeo.sends("<presence id='p1' xml:lang='en'><show>chat</show><x xmlns='urn:x'/></presence>")
  const seen = await juliet.receives(from(`${ROMEO}/phone`, "<show>chat</show><x xmlns='urn:x'/>"))
  t.match(seen.attrs, { to: JULIET, id: 'p1', 'xml:lang': 'en' })
  await juliet.receivesNothing()
  await romeo.receives(`<presence from='${ROMEO}/phone' to='${ROMEO}' id='p1'/>`)
  await romeo.receives(from(`${JULIET}/phone`))
  await romeo.receivesNothing()
  t.same(events, [`${JULIET}/phone came`, `${ROMEO}/phone came`])
})

test('an update goes to the same, and brings no answers (RFC 6121 §4.4.2)', async (t) => {
  const { romeo, juliet } = await friends(t)
  for (const client of [romeo, juliet]) await client.comesOnline()
  for (const client of [romeo, juliet]) await client.clears()
  romeo.sends('<presence><show>dnd</show></presence>')
  await juliet.receives(from(`${ROMEO}/phone`, '<show>dnd</show>'))
  await romeo.receives(from(`${ROMEO}/phone`, '<show>dnd</show>'))
  await romeo.receivesNothing()
})

test('resources of one account see each other (RFC 6121 §4.2.2, §4.5.2)', async (t) => {
  const { romeo, here } = await friends(t)
  const laptop = await here.device('romeo')
  await romeo.comesOnline()
  await laptop.receivesNothing()
  await laptop.comesOnline()
  await romeo.clears()
  await laptop.finds(from(`${ROMEO}/laptop`))
  await laptop.finds(from(`${ROMEO}/phone`))
  await laptop.receivesNothing()
  romeo.sends("<presence type='unavailable'><status>bye</status></presence>")
  await laptop.receives(gone(`${ROMEO}/phone`, '<status>bye</status>'))
  await romeo.receives(gone(`${ROMEO}/phone`, '<status>bye</status>'))
  await romeo.receivesNothing()
})

test('who goes is gone for contacts, and says so once (RFC 6121 §4.5.2)', async (t) => {
  const { romeo, juliet, events } = await friends(t)
  for (const client of [romeo, juliet]) await client.comesOnline()
  await juliet.clears()
  romeo.sends("<presence type='unavailable'><status>To the Friar</status></presence>")
  await juliet.receives(gone(`${ROMEO}/phone`, '<status>To the Friar</status>'))
  await romeo.leaves()
  await juliet.receivesNothing()
  t.equal(events.at(-1), `${ROMEO}/phone went`)
})

for (const end of ['leaves', 'breaks'] as const) {
  test(`a client that ${end} without a word is said to be gone (RFC 6121 §4.5.2)`, async (t) => {
    const { romeo, juliet, here } = await friends(t)
    const laptop = await here.device('romeo')
    for (const client of [romeo, juliet, laptop]) await client.comesOnline()
    for (const client of [juliet, laptop]) await client.clears()
    await romeo[end]()
    await juliet.receives(`<presence type='unavailable' from='${ROMEO}/phone' to='${JULIET}'/>`)
    await laptop.receives(gone(`${ROMEO}/phone`))
    await juliet.receivesNothing()
    await laptop.receivesNothing()
  })
}

test('a session that never came does not go', async (t) => {
  const { romeo, juliet, events } = await friends(t)
  await juliet.comesOnline()
  await juliet.clears()
  romeo.sends("<presence type='unavailable'/>")
  await romeo.leaves()
  await juliet.receivesNothing()
  t.same(events, [`${JULIET}/phone came`])
})

test('who binds the same resource again was gone in between (RFC 6120 §7.7.2.2)', async (t) => {
  const { romeo, juliet, here } = await friends(t)
  for (const client of [romeo, juliet]) await client.comesOnline()
  await juliet.clears()
  const again = await here.device('romeo', 'phone')
  await juliet.receives(gone(`${ROMEO}/phone`))
  await again.comesOnline()
  await juliet.receives(from(`${ROMEO}/phone`))
  await juliet.receivesNothing()
  t.ok(romeo.streamError?.getChild('conflict'))
})

test('strangers hear nothing (RFC 6121 §4.2.2)', async (t) => {
  const { romeo, here } = await friends(t, { people: ['romeo', 'juliet', 'nurse'] })
  await here.nurse.comesOnline()
  await here.nurse.clears()
  await romeo.comesOnline()
  await romeo.leaves()
  await here.nurse.receivesNothing()
  t.pass()
})

test('priorities are whole numbers from -128 to 127 (RFC 6121 §4.7.2.3)', async (t) => {
  const { romeo, here } = await friends(t)
  const session = here.server.hosts.get('capulet.example')!.sessions.all().next().value!
  for (const [text, priority] of [
    ['5', 5],
    ['-128', -128],
    [' 127 ', 127],
    ['+1', 1],
  ] as const) {
    romeo.sends(`<presence><priority>${text}</priority></presence>`)
    await romeo.settle()
    t.equal(session.priority, priority)
  }
  await romeo.clears()
  for (const text of ['128', '-129', '', 'high', '1.5', '1e2']) {
    romeo.sends(`<presence><priority>${text}</priority></presence>`)
    await romeo.receives("<presence type='error'><error><bad-request/></error></presence>")
    await romeo.receivesNothing()
    t.equal(session.priority, 1, text)
  }
  romeo.sends('<presence/>')
  await romeo.settle()
  t.equal(session.priority, 0)
  romeo.sends("<presence type='unavailable'/>")
  await romeo.settle()
  t.notOk(session.available)
})

test('presence sent by name reaches whom it names, and they hear of the end (RFC 6121 §4.6.3)', async (t) => {
  const people = ['romeo', 'juliet', 'nurse']
  const { romeo, juliet, here } = await friends(t, { people })
  const { nurse } = here
  for (const client of [romeo, juliet, nurse]) await client.comesOnline()
  for (const client of [romeo, juliet, nurse]) await client.clears()
  romeo.sends(`<presence to='${NURSE}/phone'><status>Anon</status></presence>`)
  romeo.sends(`<presence to='${JULIET}/phone'/>`)
  await nurse.receives(
    `<presence from='${ROMEO}/phone' to='${NURSE}/phone'><status>Anon</status></presence>`,
  )
  await juliet.receives(from(`${ROMEO}/phone`))
  romeo.sends('<presence><show>away</show></presence>')
  await juliet.receives(from(`${ROMEO}/phone`, '<show>away</show>'))
  await nurse.receivesNothing()
  romeo.sends("<presence type='unavailable'><status>bye</status></presence>")
  await nurse.receives(gone(`${ROMEO}/phone`, '<status>bye</status>'))
  await juliet.receives(gone(`${ROMEO}/phone`))
  await nurse.receivesNothing()
  await juliet.receivesNothing()
  await romeo.leaves()
  await nurse.receivesNothing()
  t.pass()
})

test('presence by name ends with unavailable by name, and with the session (RFC 6121 §4.6.3, §4.6.6)', async (t) => {
  const { romeo, here } = await friends(t, { people: ['romeo', 'juliet', 'nurse'] })
  const { nurse } = here
  await nurse.comesOnline()
  await nurse.clears()
  romeo.sends(`<presence to='${NURSE}'/><presence type='unavailable' to='${NURSE}'/>`)
  await nurse.receives(from(`${ROMEO}/phone`))
  await nurse.receives(gone(`${ROMEO}/phone`))
  romeo.sends(`<presence to='${NURSE}'/>`)
  await nurse.receives(from(`${ROMEO}/phone`))
  await romeo.breaks()
  await nurse.receives(gone(`${ROMEO}/phone`))
  await nurse.receivesNothing()
  t.pass()
})

test('LIM-directed-presence: it can be sent to a number of addresses that has an end', async (t) => {
  const { romeo } = await friends(t)
  for (let at = 0; at < 1000; at++) romeo.sends(`<presence to='${NURSE}/r${at}'/>`)
  await romeo.receivesNothing()
  romeo.sends(`<presence to='${NURSE}/one-more' id='x'/>`)
  await romeo.receives(
    "<presence type='error' id='x'><error><policy-violation/></error></presence>",
  )
  romeo.sends(`<presence to='${NURSE}/r7'/><presence type='unavailable' to='${NURSE}/r7'/>`)
  romeo.sends(`<presence to='${NURSE}/one-more'/>`)
  await romeo.receivesNothing()
  t.pass()
})

test('what cannot be sent by name is told; what the server sends for the user is not (RFC 6121 §4.6.3)', async (t) => {
  const { romeo, rosters, here } = await friends(t)
  const host = here.server.hosts.get('capulet.example')!
  const account = (await host.accounts!.lookup('romeo'))!
  const paris = { number: 99, jid: Jid.parse('paris@elsewhere.example'), disabled: false }
  await rosters[0]!.setMutual(account, paris)
  await romeo.comesOnline()
  romeo.sends('<presence><show>away</show></presence>')
  romeo.sends("<presence type='unavailable'/>")
  await romeo.settle()
  t.notOk(romeo.inbox.some((element) => element.attrs.type === 'error'))
  await romeo.clears()
  romeo.sends("<presence to='paris@elsewhere.example' id='d'/>")
  await romeo.receives(
    "<presence type='error' id='d' from='paris@elsewhere.example'><error><remote-server-not-found/></error></presence>",
  )
  await romeo.leaves()
})

test('a probe is answered for those who may see (RFC 6121 §4.3.2)', async (t) => {
  const { romeo, juliet, here } = await friends(t)
  const laptop = await here.device('juliet')
  juliet.sends('<presence><show>away</show></presence>')
  await laptop.comesOnline()
  romeo.sends(`<presence type='probe' to='${JULIET}'/>`)
  await romeo.finds(from(`${JULIET}/phone`, '<show>away</show>'))
  await romeo.finds(from(`${JULIET}/laptop`))
  await romeo.receivesNothing()

  await laptop.leaves()
  await juliet.leaves()
  await romeo.clears()
  romeo.sends(`<presence type='probe' to='${JULIET}'/>`)
  await romeo.receives(gone(JULIET))
  t.notMatch(juliet.transcript.join(''), "type='probe'")
})

test('a subscription that the contact does not know of ends by itself (RFC 6121 §4.3.2)', async (t) => {
  const people = ['romeo', 'juliet', 'nurse']
  const { juliet, here, rosters } = await friends(t, { people })
  const { nurse, server } = here
  const account = (await server.hosts.get('capulet.example')!.accounts!.lookup('nurse'))!
  const key = { account: account.number, contact: Jid.parse(JULIET) }
  const believes = (item: Item): Item => ({ ...item, subscription: 'to' })
  await server.database.transaction((trx) => rosters[0]!.store.change(trx, key, believes))
  rosters[0]!.cache.forget(account.number)
  await juliet.comesOnline()
  await nurse.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  await nurse.comesOnline()
  await nurse.receives(from(`${NURSE}/phone`))
  await nurse.receives(`<presence type='unsubscribed' from='${JULIET}' to='${NURSE}'/>`)
  await nurse.receives("<iq type='set'><query><item subscription='none'/></query></iq>")
  await nurse.receivesNothing()
  t.pass()
})

test('a probe does not tell whether there is somebody (RFC 6121 §8.5.1; SEC-22)', async (t) => {
  const { romeo } = await friends(t, { people: ['romeo', 'juliet', 'nurse'] })
  await romeo.comesOnline()
  await romeo.clears()
  for (const name of ['nurse', 'tybalt']) {
    romeo.sends(`<presence type='probe' to='${name}@capulet.example'/>`)
  }
  await romeo.receivesNothing()
  t.pass('§3.2.3: what cancels no subscription is not shown')
})

test('presence that says nothing that can be is refused (RFC 6121 §4.7.1)', async (t) => {
  const { romeo } = await friends(t)
  for (const type of ['invisible', 'probe']) {
    romeo.sends(`<presence type='${type}' id='${type}'/>`)
    await romeo.receives(
      `<presence type='error' id='${type}'><error><bad-request/></error></presence>`,
    )
  }
  t.pass()
})

test('contacts who are not there cost nothing', async (t) => {
  const { romeo, here } = await friends(t)
  await romeo.comesOnline()
  await romeo.clears()
  const { router } = here.server
  let sent = 0
  const send = router.send.bind(router)
  router.send = (stanza, addresses) => {
    sent++
    return send(stanza, addresses)
  }
  romeo.sends('<presence/>')
  await romeo.settle()
  t.equal(sent, 1, 'to itself')
})

test('presence finds its way between nodes, probes do not reach clients (RFC 6121 §4)', async (t) => {
  const spying = spy()
  const here = await world(t, { modules: spying.modules, nodes: 2 })
  const { romeo } = here
  await befriend(here, spying.rosters, 'romeo', 'juliet')
  const juliet: Client = await here.device('juliet', 'tablet', { node: 1 })
  const laptop = await here.device('romeo', 'laptop', { node: 1 })
  await romeo.comesOnline()
  await here.settle()
  await romeo.clears()
  await juliet.comesOnline()
  await here.settle()
  await romeo.receives(from(`${JULIET}/tablet`))
  await juliet.finds(from(`${ROMEO}/phone`))
  await laptop.comesOnline()
  await here.settle()
  await laptop.finds(from(`${ROMEO}/phone`))
  await juliet.clears()
  await romeo.leaves()
  await here.settle()
  await juliet.receives(gone(`${ROMEO}/phone`))
  for (const client of [romeo, juliet, laptop]) {
    t.notMatch(client.transcript.join(''), "type='probe'")
  }
})
