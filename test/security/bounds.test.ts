// What strangers name and what users keep has an end, and stopping does too; seen through sockets.

import { collectGarbage } from '../net/xml-recorder.js'
import { outcomeOf } from './driver.js'
import { DOMAIN, overBoth, serve } from './served.js'

overBoth('SEC-30: what strangers name is not remembered for ever', async (t, way) => {
  const house = await serve(t)
  const romeo = await house.logsIn(way, 'romeo')
  let named = 0
  // Errors are answered by nobody, so most of them cost the test nothing.
  const flood = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const n = named++
      const to = `to='x${n}@${DOMAIN}/r${n}'`
      romeo.peer.sends(
        `<message type='error' ${to} id='i${n}'><q${n} xmlns='urn:n${n}'/></message>`,
      )
      if (n % 20 > 0) continue
      await romeo.peer.asks('get', DOMAIN, `<q${n} xmlns='urn:n${n}'/>`)
      romeo.peer.inbox.length = 0
    }
  }
  await flood(3_000)
  const before = heap()
  await flood(10_000)
  const grown = heap() - before
  t.ok(grown < 5 * 1024 * 1024, `${grown} bytes`)
})

function heap(): number {
  collectGarbage()
  collectGarbage()
  return process.memoryUsage().heapUsed
}

overBoth('SEC-30: names of JavaScript’s own are names like any other', async (t, way) => {
  const house = await serve(t)
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const romeo = await house.logsIn(way, 'romeo', name)
    t.equal(romeo.jid, `romeo@${DOMAIN}/${name}`)
    const asks = async (type: 'get' | 'set', child: string, to?: string) =>
      outcomeOf(await romeo.peer.asks(type, to, child))
    const item = `<item jid='${name.toLowerCase().replaceAll('_', '-')}@x.example' name='${name}'><group>${name}</group></item>`
    t.equal(await asks('set', `<query xmlns='jabber:iq:roster'>${item}</query>`), 'result')
    const piece = `<${name} xmlns='${name}'>kept</${name}>`
    t.equal(await asks('set', `<query xmlns='jabber:iq:private'>${piece}</query>`), 'result')
    t.equal(await asks('get', `<${name} xmlns='${name}'/>`, DOMAIN), 'service-unavailable')
    t.not(
      await asks(
        'set',
        `<command xmlns='http://jabber.org/protocol/commands' node='${name}'/>`,
        DOMAIN,
      ),
      'internal-server-error',
    )
    t.not(
      await asks(
        'get',
        `<query xmlns='http://jabber.org/protocol/disco#info' node='${name}'/>`,
        DOMAIN,
      ),
      'internal-server-error',
    )
    romeo.peer.drop()
  }
  t.equal(({} as Record<string, unknown>).kept, undefined)
})

overBoth('SEC-64: what an account may keep has an end', async (t, way) => {
  const house = await serve(t, {
    host: { modules: { roster: { contacts: 5 }, 'private-data': { pieces: 5, size: '1 KiB' } } },
  })
  const romeo = await house.logsIn(way, 'romeo')
  const asks = async (child: string) => outcomeOf(await romeo.peer.asks('set', undefined, child))
  const item = (jid: string, more = '', inside = '') =>
    asks(`<query xmlns='jabber:iq:roster'><item jid='${jid}'${more}>${inside}</item></query>`)
  const piece = (name: string, text = '') =>
    asks(`<query xmlns='jabber:iq:private'><${name} xmlns='urn:${name}'>${text}</${name}></query>`)
  for (let i = 0; i < 5; i++) {
    t.equal(await item(`x${i}@x.example`), 'result')
    t.equal(await piece(`x${i}`), 'result')
  }
  t.equal(await item('x5@x.example'), 'policy-violation')
  t.equal(await piece('x5'), 'resource-constraint')
  t.equal(await item('x0@x.example', ` name='${'n'.repeat(1024)}'`), 'not-acceptable')
  const groups = Array.from({ length: 51 }, (_, i) => `<group>${i}</group>`).join('')
  t.equal(await item('x0@x.example', '', groups), 'policy-violation')
  t.equal(await piece('x0', 'x'.repeat(1024)), 'resource-constraint')
  t.equal(await piece('x0', 'again'), 'result', 'in place of what is there')
})

overBoth('SEC-71: nobody registers a name that looks like somebody’s', async (t, way) => {
  const house = await serve(t, { host: { registration: 'open' }, people: ['alice', 'romeo'] })
  for (const name of ['\u0430lice', 'alic\u0435', 'ALICE', '\uff41lice', 'rom\u0435o', 'rorneo']) {
    const { peer } = await house.stranger(way)
    const query = `<query xmlns='jabber:iq:register'><username>${name}</username><password>a good password</password></query>`
    t.equal(outcomeOf(await peer.asks('set', undefined, query)), 'conflict', name)
    peer.drop()
  }
})

overBoth('stopping does not wait for those who are connected', async (t, way) => {
  const house = await serve(t)
  const romeo = await house.logsIn(way, 'romeo')
  const silent = await house.connects(way)
  const before = performance.now()
  const [condition] = await Promise.all([romeo.peer.condition(), house.server.stop()])
  t.equal(condition, 'system-shutdown')
  t.ok(performance.now() - before < 4000)
  t.equal(await silent.condition(), 'system-shutdown')
})
