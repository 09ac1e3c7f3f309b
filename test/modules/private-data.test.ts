// Private XML Storage (XEP-0049): kept as it was given, for the account alone, within limits.

import { test, type Test } from 'tap'
import type { Element } from '../../lib/xmpp/element.js'
import type { Client } from '../world/client.js'
import { world, type WorldOptions } from '../world/world.js'

const PRIVATE = 'jabber:iq:private'
const query = (inside: string) => `<query xmlns='${PRIVATE}'>${inside}</query>`

function study(t: Test, options: WorldOptions = {}) {
  return world(t, { modules: ['private-data'], ...options })
}

async function keeps(client: Client, inside: string): Promise<string> {
  const answer = await client.asks('set', undefined, query(inside))
  const [condition] = answer.getChild('error')?.getChildElements() ?? []
  return condition?.getName() ?? String(answer.attrs.type)
}

async function finds(client: Client, inside: string): Promise<Element> {
  const answer = await client.asks('get', undefined, query(inside))
  return answer.getChild('query', PRIVATE)!.getChildElements()[0]!
}

test('what is kept comes back as it was (XEP-0049 §2.2)', async (t) => {
  const { romeo } = await study(t)
  const inside =
    "<prefs xmlns='exodus:prefs' a='1 &amp; &apos;2&apos;'><nick>Réôme 💌</nick> <n xml:lang='it'/>&lt;</prefs>"
  t.equal(await keeps(romeo, inside), 'result')
  const kept = await finds(romeo, "<prefs xmlns='exodus:prefs'/>")
  t.equal(kept.attrs.a, "1 & '2'")
  t.equal(kept.getChildText('nick'), 'Réôme 💌')
  t.equal(kept.getChild('n')?.attrs['xml:lang'], 'it')
  t.equal(kept.getText(), ' <')
})

test('prefixes declared further out are not lost (RFC 6120 §4.8.5)', async (t) => {
  const { romeo } = await study(t)
  romeo.sends(
    `<iq type='set' id='1' xmlns:p='urn:p'><query xmlns='${PRIVATE}'><p:x p:a='1'><p:y/></p:x></query></iq>`,
  )
  await romeo.receives("<iq type='result' id='1'/>")
  const kept = await finds(romeo, "<x xmlns='urn:p'/>")
  t.ok(kept.is('x', 'urn:p'), String(kept))
  t.ok(kept.getChildElements()[0]?.is('y', 'urn:p'), String(kept))
})

test('what was never kept is the empty element that was asked for (XEP-0049 §2.2)', async (t) => {
  const { romeo } = await study(t)
  const kept = await finds(romeo, "<prefs xmlns='exodus:prefs'/>")
  t.ok(kept.is('prefs', 'exodus:prefs'))
  t.same(kept.children, [])
})

test('each name and namespace is a piece of its own, the latest counts', async (t) => {
  const { romeo } = await study(t)
  await keeps(romeo, "<a xmlns='urn:1'>1</a><a xmlns='urn:2'>2</a><b xmlns='urn:1'>3</b>")
  await keeps(romeo, "<a xmlns='urn:1'>4</a>")
  const read = async (inside: string) => (await finds(romeo, inside)).getText()
  t.equal(await read("<a xmlns='urn:1'/>"), '4')
  t.equal(await read("<a xmlns='urn:2'/>"), '2')
  t.equal(await read("<b xmlns='urn:1'/>"), '3')
})

test("nobody reads or writes another one's (XEP-0049 §2.3, SEC-22)", async (t) => {
  const { romeo, juliet } = await study(t)
  await keeps(juliet, "<a xmlns='urn:1'>secret</a>")
  for (const type of ['get', 'set'] as const) {
    const answer = await romeo.asks(type, 'juliet@capulet.example', query("<a xmlns='urn:1'/>"))
    t.ok(answer.getChild('error'), type)
    t.notMatch(String(answer), 'secret')
  }
  t.equal((await finds(romeo, "<a xmlns='urn:1'/>")).getText(), '', 'each has their own')
})

test('without a piece or a namespace of its own it is refused (XEP-0049 §3)', async (t) => {
  const { romeo } = await study(t)
  const empty = await romeo.asks('get', undefined, query(''))
  t.ok(empty.getChild('error')?.getChild('bad-request'))
  t.equal(await keeps(romeo, ''), 'not-acceptable')
  t.equal(await keeps(romeo, '<a/>'), 'not-acceptable')
  t.equal(await keeps(romeo, "<a xmlns='jabber:client'/>"), 'not-acceptable')
})

test('a piece has its limit, and there are only so many (LIM-private-data, SEC-64)', async (t) => {
  const options = { 'private-data': { size: '1000 B', pieces: 3 } }
  const { romeo, juliet } = await study(t, { options })
  const piece = (name: string, bytes: number) => {
    const frame = `<${name} xmlns='urn:1'></${name}>`
    return frame.replace('><', `>${'x'.repeat(bytes - frame.length)}<`)
  }
  t.equal(await keeps(romeo, piece('a', 1000)), 'result')
  t.equal(await keeps(romeo, piece('a', 1001)), 'resource-constraint')
  t.equal((await finds(romeo, "<a xmlns='urn:1'/>")).getText().length > 900, true, 'the old stays')
  t.equal(
    await keeps(romeo, "<b xmlns='urn:1'/><c xmlns='urn:1'/><d xmlns='urn:1'/>"),
    'resource-constraint',
  )
  t.equal(await keeps(romeo, "<b xmlns='urn:1'/><c xmlns='urn:1'/>"), 'result')
  t.equal(await keeps(romeo, "<d xmlns='urn:1'/>"), 'resource-constraint')
  t.equal(await keeps(romeo, "<c xmlns='urn:1'>new</c>"), 'result', 'what is there may change')
  t.equal(await keeps(juliet, "<d xmlns='urn:1'/>"), 'result', 'others have their own limit')
})

test('many sets at once do not slip past the limit (SEC-64)', async (t) => {
  const { romeo, server } = await study(t, { options: { 'private-data': { pieces: 10 } } })
  for (let i = 0; i < 50; i++)
    romeo.sends(`<iq type='set' id='${i}'>${query(`<a${i} xmlns='urn:1'/>`)}</iq>`)
  await romeo.clears()
  t.equal((await server.database.knex('private_data').select('*')).length, 10)
})

test('names that mean something in JavaScript are names (SEC-30)', async (t) => {
  const { romeo } = await study(t)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const inside = `<${name} xmlns='urn:1' a='1'><${name}>text</${name}></${name}>`
    t.equal(await keeps(romeo, inside), 'result', name)
    const kept = await finds(romeo, `<${name} xmlns='urn:1'/>`)
    t.equal(kept.getName(), name)
    t.equal(kept.getChildText(name), 'text')
  }
  t.equal(await keeps(romeo, "<a xmlns='urn:1' __proto__='x' constructor='y'/>"), 'result')
  await finds(romeo, "<a xmlns='urn:1'/>")
  t.equal(({} as { x?: unknown }).x, undefined)
  t.notOk(romeo.closed)
})

test('an answer means it is on disk; an account that is gone leaves nothing', async (t) => {
  const { romeo, server, settle } = await study(t)
  t.equal(await keeps(romeo, "<a xmlns='urn:1'/>"), 'result')
  const rows = () => server.database.knex('private_data').select('name', 'xmlns')
  t.same(await rows(), [{ name: 'a', xmlns: 'urn:1' }])
  await server.run(undefined, 'user remove', { jids: 'romeo@capulet.example' })
  await settle()
  t.same(await rows(), [])
})
