// Pings (XEP-0199): answered to who may know, and asked of who fell silent.

import { test, type Test } from 'tap'
import { type World, world } from '../world/world.js'

const PING = "<ping xmlns='urn:xmpp:ping'/>"
const SILENCE = 60_000
const PATIENCE = 10_000

/** In steps, because a task is set again when it is done. */
async function passes({ clock, settle }: World, ms: number, step = SILENCE / 2): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    clock.advance(step)
    await settle()
  }
}

function quiet(t: Test) {
  return world(t, { modules: ['ping'], options: { ping: { silence: '60 s', patience: '10 s' } } })
}

test('host and own account answer (XEP-0199 §4.2)', async (t) => {
  const { romeo } = await world(t, { modules: ['ping'] })
  for (const to of [undefined, 'capulet.example', 'romeo@capulet.example'])
    t.match((await romeo.asks('get', to, PING)).attrs, { type: 'result' }, String(to))
})

test('an account is not there for strangers (SEC-22)', async (t) => {
  const { romeo } = await world(t, { modules: ['ping'] })
  const answer = await romeo.asks('get', 'juliet@capulet.example', PING)
  t.ok(answer.getChild('error')?.getChild('service-unavailable'))
})

test('a client that fell silent is asked, and closed when it says nothing (XEP-0199 §4.1)', async (t) => {
  const verona = await quiet(t)
  const { romeo, clock } = verona
  await passes(verona, SILENCE)
  await romeo.receives(`<iq type='get' from='capulet.example'>${PING}</iq>`)
  clock.advance(PATIENCE - 1)
  await romeo.settle()
  t.notOk(romeo.closed)
  clock.advance(1)
  await romeo.settle()
  t.ok(romeo.streamError?.getChild('connection-timeout'))
  t.ok(romeo.closed)
})

test('any answer will do, an error too (XEP-0199 §4.1)', async (t) => {
  const verona = await quiet(t)
  const { romeo, juliet, clock } = verona
  await passes(verona, SILENCE)
  const ping = await romeo.receives(`<iq type='get'>${PING}</iq>`)
  romeo.sends(`<iq type='result' id='${ping.attrs.id}' to='capulet.example'/>`)
  const other = await juliet.receives(`<iq type='get'>${PING}</iq>`)
  const error =
    "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
  juliet.sends(`<iq type='error' id='${other.attrs.id}' to='capulet.example'>${error}</iq>`)
  clock.advance(PATIENCE)
  await romeo.settle()
  t.notOk(romeo.closed)
  t.notOk(juliet.closed)
  await romeo.receivesNothing()
})

test('so does any sign of life, white space too (RFC 6120 §4.6.1)', async (t) => {
  const verona = await quiet(t)
  const { romeo, juliet, clock } = verona
  await passes(verona, SILENCE)
  await romeo.clears()
  romeo.transport.feed(' ')
  clock.advance(PATIENCE)
  await romeo.settle()
  t.notOk(romeo.closed)
  t.ok(juliet.closed)
})

test('who is not silent is not asked', async (t) => {
  const verona = await quiet(t)
  const { romeo } = verona
  for (let i = 0; i < 10; i++) {
    await passes(verona, SILENCE / 2)
    romeo.transport.feed(' ')
  }
  await romeo.receivesNothing()
})

test('who is asked already is not asked again', async (t) => {
  const options = { ping: { silence: '20 s', patience: '1 minute' } }
  const verona = await world(t, { modules: ['ping'], options })
  const { romeo } = verona
  await passes(verona, 50_000, 10_000)
  await romeo.receives(`<iq type='get'>${PING}</iq>`)
  await romeo.receivesNothing()
})

test('with silence: never nobody is asked', async (t) => {
  const { romeo, clock } = await world(t, {
    modules: ['ping'],
    options: { ping: { silence: 'never' } },
  })
  clock.advance(365 * 86_400_000)
  await romeo.receivesNothing()
})
