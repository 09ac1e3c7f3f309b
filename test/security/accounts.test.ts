// Accounts and guessing, through sockets: what a wrong password costs, what an id gives away, who a
// certificate makes anybody, what a removed name leaves.

import { test } from 'tap'
import { selfSigned } from '../../lib/net/certificates.js'
import { nameOf, outcomeOf, type Peer, type Way } from './driver.js'
import { mechanismsIn, plain, verdict } from './logins.js'
import { DOMAIN, logIn, NS_SASL, overBoth, passwordOf, type Served, serve } from './served.js'

async function fresh(house: Served, way: Way): Promise<Peer> {
  return (await house.stranger(way)).peer
}

overBoth('SEC-25: two hundred wrong passwords at once hold up nobody', async (t, way) => {
  const house = await serve(t, { host: { passwordRounds: 10_000 } })
  const juliet = await house.logsIn(way, 'juliet')
  const guessers = await Promise.all(Array.from({ length: 200 }, () => fresh(house, way)))
  const guesses = guessers.map((peer) => plain(peer, 'romeo', 'guess'))
  let waited = 0
  let over = false
  const all = Promise.all(guesses).finally(() => {
    over = true
  })
  while (!over) {
    const before = performance.now()
    await house.answers(juliet)
    waited = Math.max(waited, performance.now() - before)
  }
  const verdicts = (await all).map(verdict)
  t.same([...new Set(verdicts)].sort(), ['not-authorized', 'temporary-auth-failure'])
  t.ok(verdicts.filter((one) => one === 'not-authorized').length <= 2 + 64 + 20, 'a bounded queue')
  t.ok(waited < 1000, `${Math.round(waited)} ms for a ping`)
  for (const peer of guessers) peer.drop()
})

overBoth('SEC-26: no id can be guessed from others', async (t, way) => {
  const house = await serve(t)
  const ids = new Set<string>()
  for (let i = 0; i < 100; i++) {
    const peer = await house.connects(way)
    peer.opens(DOMAIN)
    ids.add((await peer.next())?.attrs.id ?? '')
    peer.drop()
  }
  const resources = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const { jid } = await house.logsIn(way, i % 2 ? 'romeo' : 'juliet', '')
    resources.add(jid.slice(jid.indexOf('/') + 1))
  }
  t.equal(ids.size, 100)
  t.equal(resources.size, 20)
  // 128 bit in base64 are 22 characters; a resource is a name, no secret, and has 72.
  for (const id of ids) t.match(id, /^[\w-]{22,}$/)
  for (const resource of resources) t.match(resource, /^[\w-]{12,}$/)
  t.ok(spread([...ids]) > 40, 'no prefix in common, every place varies')
})

/** Fewest different characters that a place has among all ids. */
function spread(ids: string[]): number {
  const length = Math.min(...ids.map((id) => id.length)) - 1
  const places = Array.from({ length }, (_, at) => new Set(ids.map((id) => id[at])).size)
  return Math.min(...places)
}

overBoth('SEC-27: a certificate that says so much makes nobody an account', async (t, way) => {
  const house = await serve(t)
  const named = selfSigned([`romeo@${DOMAIN}`, DOMAIN])
  const peer = await house.connectsSecurely(way, { cert: named.certificate, key: named.key })
  peer.opens(DOMAIN, { from: `romeo@${DOMAIN}` })
  t.notOk(mechanismsIn(await peer.finds('features')).includes('EXTERNAL'))
  peer.sends(`<auth xmlns='${NS_SASL}' mechanism='EXTERNAL'>=</auth>`)
  const answer = await peer.next()
  t.equal(answer && nameOf(answer), 'invalid-mechanism')
  peer.drop()
})

overBoth('SEC-28: a name that comes back brings nothing back', async (t, way) => {
  const house = await serve(t, { host: { registration: 'open' } })
  const before = await house.logsIn(way, 'romeo')
  const roster = `<query xmlns='jabber:iq:roster'><item jid='juliet@${DOMAIN}' name='Juliet'/></query>`
  t.equal(outcomeOf(await before.peer.asks('set', undefined, roster)), 'result')
  const note = "<query xmlns='jabber:iq:private'><note xmlns='urn:note'>poison</note></query>"
  t.equal(outcomeOf(await before.peer.asks('set', undefined, note)), 'result')
  await house.server.run(DOMAIN, 'user remove', { jids: `romeo@${DOMAIN}` })
  t.equal(await before.peer.condition(), 'not-authorized', 'and the session is over')
  t.equal(
    verdict(await plain(await fresh(house, way), 'romeo', passwordOf('romeo'))),
    'not-authorized',
  )
  const query =
    "<query xmlns='jabber:iq:register'><username>romeo</username><password>another one</password></query>"
  const stranger = await fresh(house, way)
  t.equal(outcomeOf(await stranger.asks('set', undefined, query)), 'conflict')
  const made = { jid: `romeo@${DOMAIN}`, password: passwordOf('romeo'), force: true }
  await house.server.run(DOMAIN, 'user add', made)
  const after = await logIn(await fresh(house, way), 'romeo')
  const got = await after.peer.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  t.same(got.getChild('query')?.getChildElements(), [])
  const asked = "<query xmlns='jabber:iq:private'><note xmlns='urn:note'/></query>"
  const kept = await after.peer.asks('get', undefined, asked)
  t.equal(kept.getChild('query')?.getChildText('note'), '')
})

test('LIM-login-attempts: the fifth failure on a stream is the last', async (t) => {
  const house = await serve(t)
  for (const way of ['TCP', 'WebSocket'] as const) {
    const peer = await fresh(house, way)
    for (let i = 0; i < 5; i++)
      t.equal(verdict(await plain(peer, 'romeo', 'guess')), 'not-authorized')
    t.equal(await peer.condition(), 'policy-violation', way)
  }
})

overBoth(
  'LIM-auth-failures: guesses from one address are slowed down and end; others go on',
  async (t, way) => {
    const house = await serve(t, { limits: 'default', proxies: ['127.0.0.0/8'] })
    const from = (address: string) => house.connectsFrom(way, address, true)
    const guess = async (name: string) => {
      const peer = await from('192.0.2.1')
      peer.opens(DOMAIN)
      await peer.finds('features')
      const answer = verdict(await plain(peer, name, 'guess'))
      peer.drop()
      return answer
    }
    for (let i = 0; i < 5; i++) t.equal(await guess('romeo'), 'not-authorized')
    t.equal(
      await guess('romeo'),
      'temporary-auth-failure',
      'this account is closed to this address',
    )
    const elsewhere = await from('192.0.2.2')
    elsewhere.opens(DOMAIN)
    await elsewhere.finds('features')
    t.equal(verdict(await plain(elsewhere, 'romeo', passwordOf('romeo'))), 'success')
  },
)
