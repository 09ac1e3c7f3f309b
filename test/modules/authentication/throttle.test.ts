// How guessing is slowed down, with a clock that stands still.

import { test } from 'tap'
import { Throttle } from '../../../modules/authentication/throttle.js'
import { ManualClock } from '../../world/clock.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { DOMAIN, world } from '../../world/world.js'
import { condition, LoginClient } from './login-client.js'
import { until } from '../../world/until.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function made(most?: number): { throttle: Throttle; clock: ManualClock } {
  const clock = new ManualClock()
  return { clock, throttle: new Throttle(() => clock.now(), most) }
}

function fail(throttle: Throttle, times: number, address = '192.0.2.1'): void {
  for (let at = 0; at < times; at++) throttle.failed(address, `name ${at}`)
}

test('LIM-auth-failures: slow after 10 failures in 5 minutes, refused for an hour after 20', async (t) => {
  const { throttle, clock } = made()
  fail(throttle, 9)
  t.equal(throttle.verdict('192.0.2.1'), 'free')
  fail(throttle, 1)
  t.equal(throttle.verdict('192.0.2.1'), 'slow')
  t.equal(throttle.verdict('192.0.2.2'), 'free', 'nobody else is concerned')
  fail(throttle, 10)
  t.equal(throttle.verdict('192.0.2.1'), 'refused')
  clock.advance(HOUR - 1)
  t.equal(throttle.verdict('192.0.2.1'), 'refused')
  clock.advance(1)
  t.equal(throttle.verdict('192.0.2.1'), 'free')
})

test('failures are forgotten 5 minutes after the first of them', async (t) => {
  const { throttle, clock } = made()
  fail(throttle, 9)
  clock.advance(5 * MINUTE)
  fail(throttle, 9)
  t.equal(throttle.verdict('192.0.2.1'), 'free')
})

test('5 failures at one account close it to that address for 5 minutes, and to no other', async (t) => {
  const { throttle, clock } = made()
  for (let at = 0; at < 5; at++) {
    t.ok(throttle.admits('192.0.2.1', 'romeo'))
    throttle.failed('192.0.2.1', 'romeo')
  }
  t.notOk(throttle.admits('192.0.2.1', 'romeo'))
  t.ok(throttle.admits('192.0.2.1', 'juliet'))
  t.ok(throttle.admits('198.51.100.7', 'romeo'), 'an account is never locked (XEP-0205)')
  clock.advance(5 * MINUTE)
  t.ok(throttle.admits('192.0.2.1', 'romeo'))
})

test('a success forgives the failures at that account', async (t) => {
  const { throttle } = made()
  for (let at = 0; at < 4; at++) throttle.failed('192.0.2.1', 'romeo')
  throttle.succeeded('192.0.2.1', 'romeo')
  throttle.failed('192.0.2.1', 'romeo')
  t.ok(throttle.admits('192.0.2.1', 'romeo'))
})

test('the addresses of one IPv6 network count together', async (t) => {
  const { throttle } = made()
  for (let at = 0; at < 10; at++) throttle.failed(`2001:db8::${at}:1`, undefined)
  t.equal(throttle.verdict('2001:db8:0:0:ffff::2'), 'slow')
  t.equal(throttle.verdict('2001:db8:0:1::2'), 'free')
  t.equal(throttle.verdict('2001:db9::1'), 'free')
  for (let at = 0; at < 10; at++) throttle.failed('::1', undefined)
  t.equal(throttle.verdict('::1'), 'slow')
  t.equal(throttle.verdict('::2'), 'slow')
})

test('SEC-30: what strangers fill has a bound', async (t) => {
  const { throttle } = made(100)
  for (let at = 0; at < 5000; at++) {
    throttle.failed(`10.0.${at >> 8}.${at & 255}`, `name ${at}`.repeat(100))
  }
  t.equal(throttle.size, 200)
})

const limited = {
  modules: ['authentication'],
  loggedIn: false,
  limits: 'default',
} as const

async function guess(w: Awaited<ReturnType<typeof world>>, name: string, address: string) {
  const login = await LoginClient.connect(w, { address })
  return condition(await login.plain(name, 'guess'))
}

test('an address that guessed waits 2 seconds for its answer', async (t) => {
  const w = await world(t, limited)
  for (let at = 0; at < 10; at++)
    t.equal(await guess(w, `name${at}`, '192.0.2.1'), 'not-authorized')
  const login = await LoginClient.connect(w, { address: '192.0.2.1' })
  const timers = w.clock.waiting
  const answer = login.plain('romeo', 'secret of romeo')
  await until(() => w.clock.waiting > timers)
  w.clock.advance(1999)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(login.client.inbox.length, 0)
  w.clock.advance(1)
  t.equal((await answer).getName(), 'success', 'but it gets it')
})

test('an address that guessed too often is not even heard', async (t) => {
  const w = await world(t, limited)
  const host = w.server.hosts.get(DOMAIN)!
  for (let at = 0; at < 20; at++) {
    const login = await LoginClient.connect(w, { address: '192.0.2.1' })
    const timers = w.clock.waiting
    const guessed = login.plain(`name${at}`, 'guess')
    if (at >= 10) {
      await until(() => w.clock.waiting > timers)
      w.clock.advance(2000)
    }
    t.equal(condition(await guessed), 'not-authorized')
  }
  let asked = 0
  const { passwords } = host.modules.get('accounts')!.offers.provides as AccountsApi
  const check = passwords.check.bind(passwords)
  passwords.check = (local, password) => {
    asked++
    return check(local, password)
  }
  t.equal(await guess(w, 'romeo', '192.0.2.1'), 'temporary-auth-failure')
  t.equal(asked, 0)
  t.equal(await guess(w, 'romeo', '192.0.2.9'), 'not-authorized')
  t.equal(asked, 1)
})

test('5 guesses at an account: the sixth is not checked, not even with the right password', async (t) => {
  const w = await world(t, limited)
  for (let at = 0; at < 5; at++) t.equal(await guess(w, 'romeo', '192.0.2.1'), 'not-authorized')
  const login = await LoginClient.connect(w, { address: '192.0.2.1' })
  t.equal(condition(await login.plain('romeo', 'secret of romeo')), 'temporary-auth-failure')
  const { answer } = await login.scram({
    mechanism: 'SCRAM-SHA-256',
    name: 'ROMEO',
    password: 'secret of romeo',
  })
  t.equal(condition(answer), 'temporary-auth-failure', 'in another mechanism and other letters')
  const elsewhere = await LoginClient.connect(w, { address: '192.0.2.2' })
  t.equal((await elsewhere.plain('romeo', 'secret of romeo')).getName(), 'success')
})

test('where limits are off nobody is slowed down', async (t) => {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  for (let at = 0; at < 25; at++) t.equal(await guess(w, 'romeo', '192.0.2.1'), 'not-authorized')
})

test('RFC 6120 §6.4.5: five failures on one stream are its end', async (t) => {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const login = await LoginClient.connect(w)
  for (let at = 0; at < 5; at++) await login.plain('romeo', 'guess')
  t.ok(login.client.streamError?.getChild('policy-violation'))
})
