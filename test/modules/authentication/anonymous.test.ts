// Guests (XEP-0175).

import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { DOMAIN, type World, world } from '../../world/world.js'
import { condition, LoginClient } from './login-client.js'
import { authenticate, identity } from './sasl2-client.js'
import { until } from '../../world/until.js'

const forgotten: number[] = []
const keeper = defineModule({
  name: 'keeper',
  summary: 'Says which accounts it forgot',
  setup: () => ({ account: { forget: async ({ number }) => void forgotten.push(number) } }),
})

const here = {
  modules: ['authentication', keeper],
  loggedIn: false,
  options: { authentication: { anonymous: true } },
} as const

const BIND = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"

function guests(w: World): AccountsApi['guests'] {
  const host = w.server.hosts.get(DOMAIN)!
  return (host.modules.get('accounts')!.offers.provides as AccountsApi).guests
}

async function gone(w: World): Promise<boolean> {
  await until(() => guests(w).size === 0)
  return guests(w).size === 0
}

test('nobody is a guest where the operator did not say so (XEP-0175 §3)', async (t) => {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const login = await LoginClient.connect(w)
  t.notOk(login.mechanisms().includes('ANONYMOUS'))
  t.equal(condition(await login.auth('ANONYMOUS')), 'invalid-mechanism')
})

test('a guest gets a name for one session, with or without something to trace (RFC 4505 §2)', async (t) => {
  const w = await world(t, here)
  const names = new Set<string>()
  for (const initial of ['', '=', Buffer.from('trace@example.org').toString('base64')]) {
    const login = await LoginClient.connect(w)
    t.equal(login.mechanisms().at(-1), 'ANONYMOUS')
    t.equal((await login.auth('ANONYMOUS', initial)).getName(), 'success')
    await login.open()
    const bound = await login.says(BIND)
    const jid = bound.getChild('bind')?.getChildText('jid') ?? ''
    t.match(jid, /^[0-9a-f-]{36}@capulet\.example\/./)
    names.add(jid)
  }
  t.equal(names.size, 3)
})

test('a guest may come by SASL2 and bind at once', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const inside = "<bind xmlns='urn:xmpp:bind:0'/>"
  const answer = await login.says(authenticate('ANONYMOUS', { inside }))
  t.match(identity(answer), /^[0-9a-f-]{36}@capulet\.example\/./)
})

test('what a guest left is forgotten when its session ends (XEP-0175 §3)', async (t) => {
  const w = await world(t, here)
  forgotten.length = 0
  const login = await LoginClient.connect(w)
  await login.auth('ANONYMOUS')
  await login.open()
  await login.says(BIND)
  t.equal(guests(w).size, 1)
  login.client.transport.cut()
  t.ok(await gone(w))
  await w.settle()
  t.equal(forgotten.length, 1)
  t.ok(forgotten[0]! < 0, 'the number of no account')
})

test('what is sent to a guest reaches it (XEP-0175 §3, RFC 6121 §4.2.2)', async (t) => {
  const w = await world(t, { ...here, modules: 'all' })
  const login = await LoginClient.connect(w)
  await login.auth('ANONYMOUS')
  await login.open()
  await login.says(BIND)
  const answer = await login.says('<presence/>')
  t.equal(answer.getName(), 'presence')
})

test('a guest that never binds is forgotten with its stream', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  await login.auth('ANONYMOUS')
  login.client.transport.cut()
  t.ok(await gone(w))
})

test('SEC-30: there is room for so many guests', async (t) => {
  const w = await world(t, here)
  const all = guests(w)
  let admitted = 0
  while (all.admit()) admitted++
  t.equal(admitted, 10_000)
  t.equal(all.admit(), undefined)
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.auth('ANONYMOUS')), 'temporary-auth-failure')
})
