// Rosters as clients see them (RFC 6121 §2).

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { world } from '../../world/world.js'

const modules = ['presence']
const ROMEO = 'romeo@capulet.example'
const JULIET = 'juliet@capulet.example'

const query = (inside = '', attributes = '') =>
  `<query xmlns='jabber:iq:roster'${attributes}>${inside}</query>`
const push = (attributes: string, inside = '') =>
  `<iq type='set'>${query(`<item ${attributes}>${inside}</item>`)}</iq>`

const get = (client: Client, attributes = '') =>
  client.asks('get', undefined, query('', attributes))
const set = (client: Client, item: string, to?: string) => client.asks('set', to, query(item))

function itemsOf(answer: Awaited<ReturnType<typeof get>>): string[] {
  return (answer.getChild('query')?.getChildren('item') ?? []).map((item) => item.attrs.jid).sort()
}

function verOf(answer: Awaited<ReturnType<typeof get>>): string {
  return answer.getChild('query')?.attrs.ver
}

async function refused(client: Client, item: string, condition: string): Promise<void> {
  const answer = await set(client, item)
  const error = answer.getChild('error')?.children[0]
  if (answer.attrs.type !== 'error' || !String(error).includes(`<${condition} `)) {
    throw new Error(`${item} was answered by ${answer}, not by ${condition}`)
  }
}

test('a contact is added, changed and found again (RFC 6121 §2.2, §2.3, §2.4)', async (t) => {
  const { romeo } = await world(t, { modules })
  t.same(itemsOf(await get(romeo)), [])
  const added = await set(
    romeo,
    `<item jid='${JULIET}' name='Juliet'><group>Friends</group></item>`,
  )
  t.equal(added.attrs.type, 'result')
  t.equal(added.children.length, 0)
  const pushed = await romeo.receives(
    push(`jid='${JULIET}' name='Juliet' subscription='none'`, '<group>Friends</group>'),
  )
  // §2.1.6: from the account itself
  t.match(pushed.attrs, { to: `${ROMEO}/phone`, from: ROMEO })
  await set(romeo, `<item jid='${JULIET}'><group>Lovers</group></item>`)
  const changed = await romeo.receives(push(`jid='${JULIET}'`, '<group>Lovers</group>'))
  t.equal(changed.getChild('query')?.getChild('item')?.attrs.name, undefined)
  t.equal(changed.getChild('query')?.getChild('item')?.getChildren('group').length, 1)
  t.same(itemsOf(await get(romeo)), [JULIET])
})

test('what only the server may set is not taken from clients (RFC 6121 §2.1.2, §2.3.3)', async (t) => {
  const { romeo } = await world(t, { modules })
  await get(romeo)
  await set(romeo, `<item jid='${JULIET}' subscription='both' ask='subscribe' approved='true'/>`)
  const pushed = await romeo.receives(push(`jid='${JULIET}' subscription='none'`))
  const { ask, approved } = pushed.getChild('query')!.getChild('item')!.attrs
  t.same([ask, approved], [undefined, undefined])
})

test('a resource is pushed to once it has asked for the roster (RFC 6121 §2.1.6, §2.2)', async (t) => {
  const { romeo, device } = await world(t, { modules })
  const laptop = await device('romeo')
  await get(laptop)
  await set(romeo, `<item jid='${JULIET}'/>`)
  await romeo.receivesNothing()
  await laptop.receives(push(`jid='${JULIET}'`))
})

test('a set that cannot be is refused (RFC 6121 §2.3.3, §2.5.3; LIM-roster-names, LIM-roster-groups; SEC-64)', async (t) => {
  const { romeo } = await world(t, { modules })
  await get(romeo)
  const long = 'x'.repeat(1024)
  const many = Array.from({ length: 51 }, (_, at) => `<group>${at}</group>`).join('')
  await refused(romeo, `<item jid='${JULIET}'/><item jid='nurse@capulet.example'/>`, 'bad-request')
  await refused(romeo, '', 'bad-request')
  await refused(romeo, '<item/>', 'bad-request')
  await refused(romeo, "<item jid='@capulet.example'/>", 'jid-malformed')
  await refused(romeo, `<item jid='${ROMEO}'/>`, 'not-allowed')
  await refused(
    romeo,
    `<item jid='${JULIET}'><group>a</group><group>a</group></item>`,
    'bad-request',
  )
  await refused(romeo, `<item jid='${JULIET}'><group/></item>`, 'not-acceptable')
  await refused(romeo, `<item jid='${JULIET}'><group>${long}</group></item>`, 'not-acceptable')
  await refused(romeo, `<item jid='${JULIET}' name='${long}'/>`, 'not-acceptable')
  await refused(romeo, `<item jid='${JULIET}'>${many}</item>`, 'policy-violation')
  await refused(romeo, `<item jid='${JULIET}' subscription='remove'/>`, 'item-not-found')
  await romeo.receivesNothing()
  t.same(itemsOf(await get(romeo)), [])
})

test('LIM-roster-items: a roster has a bound, for subscriptions too (SEC-64)', async (t) => {
  const { romeo } = await world(t, { modules, options: { roster: { contacts: 3 } } })
  for (const name of ['a', 'b', 'c']) await set(romeo, `<item jid='${name}@capulet.example'/>`)
  await refused(romeo, "<item jid='d@capulet.example'/>", 'policy-violation')
  t.equal((await set(romeo, "<item jid='a@capulet.example' name='A'/>")).attrs.type, 'result')
  for (const type of ['subscribe', 'subscribed']) {
    romeo.sends(`<presence type='${type}' to='${JULIET}'/>`)
    await romeo.receives("<presence type='error'><error><policy-violation/></error></presence>")
  }
  await set(romeo, "<item jid='a@capulet.example' subscription='remove'/>")
  t.equal((await set(romeo, "<item jid='d@capulet.example'/>")).attrs.type, 'result')
})

test('nobody reads or writes the roster of somebody else (RFC 6121 §2.1.5, §2.3.3)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await get(juliet)
  const read = await romeo.asks('get', JULIET, query())
  const written = await set(romeo, `<item jid='${ROMEO}'/>`, JULIET)
  for (const answer of [read, written]) {
    t.ok(answer.getChild('error')?.getChild('service-unavailable'), String(answer))
  }
  await juliet.receivesNothing()
  t.same(itemsOf(await get(juliet)), [])
})

test('SEC-51: a roster push of somebody else reaches no client', async (t) => {
  const { romeo, juliet, device } = await world(t, { modules })
  const laptop = await device('juliet')
  for (const attacker of [romeo, laptop]) {
    const answer = await set(attacker, `<item jid='${ROMEO}' name='Bank'/>`, `${JULIET}/phone`)
    t.ok(answer.getChild('error')?.getChild('service-unavailable'), String(answer))
  }
  await juliet.receivesNothing()
})

test('roster versions and pre-approval are offered after login (RFC 6121 §2.6.1, §3.4)', async (t) => {
  const { stranger } = await world(t, { modules })
  const client = stranger({ account: ROMEO })
  client.open()
  await client.settle()
  const offers = async (): Promise<boolean> => {
    const features = await client.receives('<features/>')
    const ver = features.getChild('ver', 'urn:xmpp:features:rosterver')
    return Boolean(ver && features.getChild('sub', 'urn:xmpp:features:pre-approval'))
  }
  t.notOk(await offers())
  client.sends(`<login xmlns='urn:tercet:world'>${ROMEO}</login>`)
  t.ok(await offers())
})

test('a client that knows the version gets what changed since (RFC 6121 §2.6)', async (t) => {
  const { romeo, device } = await world(t, { modules })
  for (const name of ['a', 'b', 'c', 'd', 'e']) await set(romeo, `<item jid='${name}@x.example'/>`)
  const whole = await get(romeo, " ver=''")
  t.equal(itemsOf(whole).length, 5)
  const ver = verOf(whole)

  const same = await get(romeo, ` ver='${ver}'`)
  t.equal(same.children.length, 0, 'nothing changed: an empty result (§2.6.3)')
  await set(romeo, "<item jid='a@x.example' subscription='remove'/>")
  await set(romeo, "<item jid='b@x.example' name='B'/>")
  await romeo.clears()

  const laptop = await device('romeo')
  const changed = await get(laptop, ` ver='${ver}'`)
  t.equal(changed.children.length, 0)
  await laptop.receives(push("jid='a@x.example' subscription='remove'"))
  const last = await laptop.receives(push("jid='b@x.example' name='B'"))
  await laptop.receivesNothing()
  t.equal(verOf(last), verOf(await get(romeo, " ver=''")), 'the last push has the present version')
})

test('a version that cannot be counted from brings the whole roster (RFC 6121 §2.6.2)', async (t) => {
  const { romeo } = await world(t, { modules })
  await set(romeo, `<item jid='${JULIET}'/>`)
  for (const ver of ['', '99', '-1', 'abc', '1e1', '0']) {
    const answer = await get(romeo, ` ver='${ver}'`)
    if (ver === '0') await romeo.receives(push(`jid='${JULIET}'`))
    else t.same(itemsOf(answer), [JULIET], ver)
  }
  t.equal(verOf(await get(romeo)), undefined, 'who does not ask for versions gets none')
})

test('a subscription that waits does not change what the client knows (RFC 6121 §2.6, §3.1.3)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  const ver = verOf(await get(juliet, " ver=''"))
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.settle()
  t.equal((await get(juliet, ` ver='${ver}'`)).children.length, 0)
  await juliet.receivesNothing()
  t.same(itemsOf(await get(juliet)), [])
})

async function friends(romeo: Client, juliet: Client): Promise<void> {
  for (const client of [romeo, juliet]) await client.comesOnline()
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.settle()
  juliet.sends(
    `<presence type='subscribed' to='${ROMEO}'/><presence type='subscribe' to='${ROMEO}'/>`,
  )
  await romeo.settle()
  romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  await romeo.settle()
  for (const client of [romeo, juliet]) {
    await get(client)
    await client.clears()
  }
}

test('removing a contact ends the subscriptions both ways (RFC 6121 §2.5.2)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await friends(romeo, juliet)
  const answer = await set(romeo, `<item jid='${JULIET}' subscription='remove'/>`)
  t.equal(answer.attrs.type, 'result')
  await romeo.receives(push(`jid='${JULIET}' subscription='remove'`))
  await romeo.receives(`<presence type='unavailable' from='${JULIET}/phone'/>`)
  await romeo.receivesNothing()
  // §3.2.2: unavailable while she still sees him
  await juliet.receives(`<presence type='unavailable' from='${ROMEO}/phone'/>`)
  await juliet.receives(`<presence type='unsubscribe' from='${ROMEO}' to='${JULIET}'/>`)
  await juliet.receives(push(`jid='${ROMEO}' subscription='to'`))
  await juliet.receives(`<presence type='unsubscribed' from='${ROMEO}' to='${JULIET}'/>`)
  await juliet.receives(push(`jid='${ROMEO}' subscription='none'`))
  await juliet.receivesNothing()
  t.same(itemsOf(await get(romeo)), [])
  t.same(itemsOf(await get(juliet)), [ROMEO])
})

test('removing somebody who asked denies the request (RFC 6121 §2.5.2)', async (t) => {
  const { romeo, juliet } = await world(t, { modules })
  await romeo.comesOnline()
  romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
  await romeo.settle()
  await romeo.clears()
  await set(juliet, `<item jid='${ROMEO}'/>`)
  await set(juliet, `<item jid='${ROMEO}' subscription='remove'/>`)
  await romeo.receives(`<presence type='unsubscribed' from='${JULIET}'/>`)
  await juliet.comesOnline()
  await juliet.receives("<presence from='juliet@capulet.example/phone'/>")
  await juliet.receivesNothing()
})

test('an account that is removed leaves the rosters of others (RFC 6121 §2.5.2; SEC-28)', async (t) => {
  const { romeo, juliet, server } = await world(t, { modules })
  await friends(romeo, juliet)
  romeo.sends(`<presence type='subscribed' to='tybalt@capulet.example'/>`)
  await server.run(undefined, 'user remove', { jids: [JULIET] })
  await romeo.finds(`<presence type='unavailable' from='${JULIET}/phone'/>`)
  await romeo.finds(`<presence type='unsubscribe' from='${JULIET}'/>`)
  await romeo.finds(`<presence type='unsubscribed' from='${JULIET}'/>`)
  const item = (await get(romeo)).getChild('query')?.getChildByAttr('jid', JULIET)
  t.equal(item?.attrs.subscription, 'none')
  const left = await server.database.knex('roster_items').count({ count: '*' })
  t.same(left, [{ count: 2 }], 'what is left is all of Romeo')
})

test('SEC-28: an approval in advance is not for the next of that name', async (t) => {
  const { romeo, server } = await world(t, { modules })
  romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  await romeo.settle()
  await server.run(undefined, 'user remove', { jids: [JULIET] })
  const [row] = await server.database.knex('roster_items').where({ contact: JULIET })
  t.match(row, { approved: false, listed: true, subscription: 'none' })
})
