// Requests: who answers them, and the server's own questions.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { xml } from '../../lib/xmpp/element.js'
import type { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { DOMAIN, type World, world } from '../world/world.js'

const JULIET = `juliet@${DOMAIN}`
const NS = 'urn:example:iq'

const echo = defineModule({
  name: 'echo',
  summary: 'Answers by where it was asked',
  setup: () => ({
    iq: [
      {
        get: 'query',
        xmlns: NS,
        to: 'host' as const,
        allow: 'anyone' as const,
        answer: () => xml('query', NS, 'the host'),
      },
      {
        get: 'query',
        xmlns: NS,
        to: 'account' as const,
        allow: 'anyone' as const,
        answer: ({ to }) => xml('query', NS, `account ${to}`),
      },
      { set: 'query', xmlns: NS, to: 'host' as const, allow: 'anyone' as const, answer() {} },
      {
        get: 'bug',
        xmlns: NS,
        to: 'host' as const,
        allow: 'anyone' as const,
        answer() {
          throw new TypeError('not a function')
        },
      },
    ],
  }),
})

test('a host and an account are asked different things (RFC 6120 §8.2.3, §10.3.3)', async (t) => {
  const { romeo } = await world(t, { modules: [echo] })
  const query = `<query xmlns='${NS}'/>`
  const host = await romeo.asks('get', DOMAIN, query)
  t.same([host.attrs.type, host.attrs.from], ['result', DOMAIN])
  t.equal(host.getChildText('query'), 'the host')
  const account = await romeo.asks('get', JULIET, query)
  t.equal(account.attrs.from, JULIET)
  t.equal(account.getChildText('query'), `account ${JULIET}`)
  const own = await romeo.asks('get', undefined, query)
  t.equal(own.getChildText('query'), `account romeo@${DOMAIN}`, 'without an address: its own')
  const set = await romeo.asks('set', DOMAIN, query)
  t.same([set.attrs.type, set.children], ['result', []])
})

test('a request that nobody knows is answered with service-unavailable (RFC 6120 §8.4)', async (t) => {
  const { romeo } = await world(t, { modules: [echo] })
  for (const [type, to, child] of [
    ['get', DOMAIN, "<query xmlns='urn:example:unknown'/>"],
    ['get', DOMAIN, `<other xmlns='${NS}'/>`],
    ['set', JULIET, `<query xmlns='${NS}'/>`],
    ['get', undefined, "<query xmlns='urn:example:unknown'/>"],
  ] as const) {
    const answer = await romeo.asks(type, to, child)
    t.ok(answer.getChild('error')?.getChild('service-unavailable'), `${type} ${to} ${child}`)
  }
})

test('a request has an id, a type that there is, and one child (RFC 6120 §8.2.3)', async (t) => {
  const { romeo } = await world(t, { modules: [echo] })
  const query = `<query xmlns='${NS}'/>`
  const wrong = [
    `<iq type='get' id='1' to='${DOMAIN}'/>`,
    `<iq type='get' id='1' to='${DOMAIN}'>${query}${query}</iq>`,
    `<iq type='fetch' id='1' to='${DOMAIN}'>${query}</iq>`,
    `<iq id='1' to='${DOMAIN}'>${query}</iq>`,
  ]
  for (const iq of wrong) {
    romeo.sends(iq)
    await romeo.receives("<iq type='error' id='1'><error type='modify'><bad-request/></error></iq>")
  }
  romeo.sends(`<iq type='get' to='${DOMAIN}'>${query}</iq>`)
  await romeo.receives("<iq type='error'><error type='modify'><bad-request/></error></iq>")
  t.notOk(romeo.closed)
})

test('a bug is answered with internal-server-error and is in the log once, with its stack', async (t) => {
  const { romeo, log } = await world(t, { modules: [echo], mayFail: true })
  const answer = await romeo.asks('get', DOMAIN, `<bug xmlns='${NS}'/>`)
  t.ok(answer.getChild('error')?.getChild('internal-server-error'))
  const bugs = log.filter((line) => line.includes(' a bug in '))
  t.equal(bugs.length, 1)
  t.match(bugs[0], /TypeError: not a function.*iq\.test/)
})

test('an answer that nobody waits for goes nowhere and is not answered (RFC 6120 §8.3.1)', async (t) => {
  const { romeo, juliet } = await world(t)
  for (const to of [DOMAIN, JULIET, juliet.jid, `nobody@${DOMAIN}`]) {
    romeo.sends(`<iq type='error' id='1' to='${to}'><error type='cancel'/></iq>`)
    if (to !== juliet.jid) romeo.sends(`<iq type='result' id='1' to='${to}'/>`)
  }
  await romeo.receivesNothing()
  await juliet.receives("<iq type='error'/>")
  await juliet.receivesNothing()
})

// Questions of the server's own

interface Asked {
  answer?: string
  error?: StanzaError
}

function ask(w: World, to: string): Asked {
  const host = w.server.hosts.get(DOMAIN)!
  const asked: Asked = {}
  host.iq.ask(xml('query', NS), { type: 'get', from: host.jid, to: Jid.parse(to) }).then(
    (stanza) => {
      asked.answer = stanza.child('query', NS)?.text() ?? ''
    },
    (error) => {
      asked.error = error
    },
  )
  return asked
}

test('a question is answered by whom it was put to, with its id (RFC 6120 §8.1.3, SEC-55)', async (t) => {
  const w = await world(t)
  const asked = ask(w, w.juliet.jid)
  const { id } = (await w.juliet.receives(`<iq type='get' from='${DOMAIN}'><query/></iq>`)).attrs
  const answer = (text: string) => `<query xmlns='${NS}'>${text}</query>`
  w.romeo.sends(`<iq type='result' id='${id}' to='${DOMAIN}'>${answer('forged')}</iq>`)
  w.juliet.sends(`<iq type='result' id='x${id}' to='${DOMAIN}'>${answer('other')}</iq>`)
  await w.settle()
  t.same(asked, {})
  w.juliet.sends(`<iq type='result' id='${id}' to='${DOMAIN}'>${answer('true')}</iq>`)
  await w.settle()
  t.same(asked, { answer: 'true' })
  w.juliet.sends(`<iq type='result' id='${id}' to='${DOMAIN}'>${answer('again')}</iq>`)
  await w.juliet.receivesNothing()
  await w.romeo.receivesNothing()
})

test('an error that comes back is the error that is thrown (RFC 6120 §8.3)', async (t) => {
  const w = await world(t)
  const asked = ask(w, w.juliet.jid)
  const { id } = (await w.juliet.receives("<iq type='get'/>")).attrs
  w.juliet.sends(
    `<iq type='error' id='${id}' to='${DOMAIN}'><error type='wait'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>not now</text></error></iq>`,
  )
  await w.settle()
  t.match(asked.error, { condition: 'forbidden', type: 'wait', text: 'not now' })
})

test('a question to nobody is refused, and one to another server', async (t) => {
  const w = await world(t)
  const gone = ask(w, `${JULIET}/gone`)
  const far = ask(w, 'benvolio@montague.example')
  await w.settle()
  t.equal(gone.error?.condition, 'service-unavailable')
  t.equal(far.error?.condition, 'remote-server-not-found')
})

test('a question that is not answered ends after half a minute; what comes later is too late', async (t) => {
  const w = await world(t)
  const timers = w.clock.waiting
  const asked = ask(w, w.juliet.jid)
  const { id } = (await w.juliet.receives("<iq type='get'/>")).attrs
  w.clock.advance(29_999)
  await w.settle()
  t.same(asked, {})
  w.clock.advance(1)
  await w.settle()
  t.equal(asked.error?.condition, 'remote-server-timeout')
  w.juliet.sends(`<iq type='result' id='${id}' to='${DOMAIN}'><query xmlns='${NS}'/></iq>`)
  await w.juliet.receivesNothing()
  t.notOk('answer' in asked)
  t.equal(w.clock.waiting, timers)
})

test('open questions have a bound (LIM-open-questions)', async (t) => {
  const w = await world(t)
  const host = w.server.hosts.get(DOMAIN)!
  const timers = w.clock.waiting
  const put = (to: Jid) => host.iq.ask(xml('query', NS), { type: 'get', from: host.jid, to })
  const juliet = Jid.parse(w.juliet.jid)
  const open = Array.from({ length: 10_000 }, () => put(juliet).catch(({ condition }) => condition))
  await t.rejects(put(juliet), /resource-constraint/)
  host.iq.close()
  t.same(new Set(await Promise.all(open)), new Set(['recipient-unavailable']))
  await t.rejects(put(juliet), /resource-constraint/)
  t.equal(w.clock.waiting, timers)
})

test('stopping waits for nobody who was asked', async (t) => {
  const asks = defineModule({
    name: 'asks',
    summary: 'Asks before it answers',
    setup: (host) => ({
      iq: [
        {
          set: 'relay',
          xmlns: NS,
          to: 'host' as const,
          allow: 'anyone' as const,
          async answer() {
            const to = Jid.parse(`${JULIET}/phone`)
            await host.iq.ask(xml('query', NS), { type: 'get', from: host.jid, to })
          },
        },
      ],
    }),
  })
  const w = await world(t, { modules: [asks] })
  w.romeo.sends(`<iq type='set' id='1' to='${DOMAIN}'><relay xmlns='${NS}'/></iq>`)
  await w.server.stop()
  t.ok(w.romeo.closed)
})
