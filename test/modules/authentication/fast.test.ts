// Login tokens (XEP-0484) with the HT mechanisms, by a client written from the draft.

import { createHmac } from 'node:crypto'
import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { DOMAIN, type World, world } from '../../world/world.js'
import { bindingTls, condition, END_POINT, EXPORTER, LoginClient } from './login-client.js'
import {
  additional,
  AGENT,
  authenticate,
  identity,
  NS_SASL2,
  romeo,
  scram2,
} from './sasl2-client.js'

const here = { modules: ['authentication'], loggedIn: false } as const
const NS_FAST = 'urn:xmpp:fast:0'
const NONE = Buffer.alloc(0)
const HOUR = 3600_000
const DAY = 24 * HOUR

function wish(mechanism = 'HT-SHA-256-NONE'): string {
  return `<request-token xmlns='${NS_FAST}' mechanism='${mechanism}'/>`
}

function tokenIn(success: Element): Element | undefined {
  return success.getChild('token', NS_FAST) ?? undefined
}

async function issue(w: World, mechanism = 'HT-SHA-256-NONE', agent = AGENT): Promise<string> {
  const login = await LoginClient.connect(w, { tls: { ...bindingTls } })
  const { answer } = await scram2(login, romeo, { inside: wish(mechanism), agent })
  const token = tokenIn(answer)?.attrs.token
  if (!token) throw new Error(`no token in ${answer}`)
  return token
}

function hashed(token: string, who: string, binding: Buffer): Buffer {
  return createHmac('sha256', token).update(who).update(binding).digest()
}

interface Use {
  mechanism?: string
  binding?: Buffer
  fast?: string
  inside?: string
  agent?: string | null
  name?: string
}

async function use(w: World, token: string, options: Use = {}): Promise<Element> {
  const { mechanism = 'HT-SHA-256-NONE', binding = NONE, name = 'romeo', agent = AGENT } = options
  const login = await LoginClient.connect(w, { tls: { ...bindingTls }, from: `${name}@${DOMAIN}` })
  const initial = Buffer.concat([Buffer.from(`${name}\0`), hashed(token, 'Initiator', binding)])
  const fast = options.fast ?? `<fast xmlns='${NS_FAST}'/>`
  const inside = fast + (options.inside ?? '')
  return login.says(authenticate(mechanism, { initial, inside, agent }))
}

for (const [mechanism, binding] of [
  ['HT-SHA-256-EXPR', EXPORTER],
  ['HT-SHA-256-ENDP', END_POINT],
  ['HT-SHA-256-NONE', NONE],
] as const) {
  test(`${mechanism} logs in with a token in one round trip, both sides proved`, async (t) => {
    const w = await world(t, here)
    const token = await issue(w, mechanism)
    t.ok(Buffer.from(token, 'base64url').length >= 16, 'SEC-26')
    const inside = "<bind xmlns='urn:xmpp:bind:0'/>"
    const answer = await use(w, token, { mechanism, binding, inside })
    t.ok(answer.is('success', NS_SASL2))
    t.same(additional(answer), hashed(token, 'Responder', binding))
    t.match(identity(answer), /^romeo@capulet\.example\/./)
    t.notOk(tokenIn(answer), 'the token is young')
  })
}

test('a token is good for its mechanism alone (XEP-0484 §4.4)', async (t) => {
  const w = await world(t, here)
  const token = await issue(w, 'HT-SHA-256-EXPR')
  t.equal(condition(await use(w, token)), 'not-authorized')
  const wrong = { mechanism: 'HT-SHA-256-EXPR', binding: Buffer.from('another connection') }
  t.equal(condition(await use(w, token, wrong)), 'not-authorized')
  const right = { mechanism: 'HT-SHA-256-EXPR', binding: EXPORTER }
  t.ok((await use(w, token, right)).is('success'))
})

test('where the binding is not to be had any more no proof fits, also one without it (SEC-24)', async (t) => {
  const w = await world(t, here)
  const mechanism = 'HT-SHA-256-EXPR'
  const token = await issue(w, mechanism)
  for (const binding of [NONE, EXPORTER]) {
    const login = await LoginClient.connect(w, {
      tls: { ...bindingTls, exporter: () => undefined },
    })
    const initial = Buffer.concat([Buffer.from('romeo\0'), hashed(token, 'Initiator', binding)])
    const inside = `<fast xmlns='${NS_FAST}'/>`
    const answer = await login.says(authenticate(mechanism, { initial, inside, agent: AGENT }))
    t.equal(condition(answer), 'not-authorized')
  }
})

test('a token is good for its account and its installation alone', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  const agent = '00000000-0000-4000-8000-000000000001'
  t.equal(condition(await use(w, token, { agent })), 'not-authorized')
  t.equal(condition(await use(w, token, { name: 'juliet' })), 'not-authorized')
  t.equal(condition(await use(w, token, { name: 'nobody' })), 'not-authorized')
  t.ok((await use(w, token)).is('success'))
})

test('SEC-23: a token mechanism is none without <fast/>, without an installation, or in SASL', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  t.equal(condition(await use(w, token, { fast: '' })), 'invalid-mechanism')
  t.equal(condition(await use(w, token, { agent: null })), 'invalid-mechanism')
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.auth('HT-SHA-256-NONE')), 'invalid-mechanism')
  const unbound = await LoginClient.connect(w)
  const asked = authenticate('HT-SHA-256-EXPR', { inside: `<fast xmlns='${NS_FAST}'/>` })
  t.equal(condition(await unbound.says(asked)), 'invalid-mechanism')
})

test('no token without a mechanism that was offered, or without an installation (XEP-0484 §4.2)', async (t) => {
  const w = await world(t, here)
  for (const [mechanism, agent] of [
    ['HT-SHA-256-UNIQ', AGENT],
    ['HT-SHA-256-EXPR', AGENT],
    ['PLAIN', AGENT],
    ['HT-SHA-256-NONE', null],
    ['HT-SHA-256-NONE', 'not a uuid'],
  ] as const) {
    const login = await LoginClient.connect(w)
    const { answer } = await scram2(login, romeo, { inside: wish(mechanism), agent })
    t.ok(answer.is('success'))
    t.notOk(tokenIn(answer), `${mechanism} ${agent}`)
  }
})

test('a token that is over says so, to its owner alone (XEP-0484 §5.2)', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  w.clock.advance(21 * DAY)
  t.equal(condition(await use(w, token)), 'credentials-expired')
  t.equal(condition(await use(w, 'another token')), 'not-authorized')
})

test('an old token is replaced, and is good until the new one is used (XEP-0484 §4.5)', async (t) => {
  const w = await world(t, here)
  const first = await issue(w)
  t.notOk(tokenIn(await use(w, first)))
  w.clock.advance(DAY)
  const second = tokenIn(await use(w, first))
  t.equal(second?.attrs.expiry, new Date(w.clock.now() + 21 * DAY).toISOString())
  const third = tokenIn(await use(w, first))
  t.ok(third, 'the answer may have been lost, so there is another')
  t.equal(condition(await use(w, second?.attrs.token)), 'not-authorized', 'which takes its place')
  t.notOk(tokenIn(await use(w, third?.attrs.token)))
  t.equal(condition(await use(w, first)), 'not-authorized', 'the new one was used')
  t.ok((await use(w, third?.attrs.token)).is('success'))
})

test('a client can end its token, and gets another only if it asks (XEP-0484 §4.6)', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  w.clock.advance(DAY)
  const fast = `<fast xmlns='${NS_FAST}' invalidate='true'/>`
  const answer = await use(w, token, { fast })
  t.ok(answer.is('success'))
  t.notOk(tokenIn(answer))
  t.equal(condition(await use(w, token)), 'not-authorized')
  const other = await issue(w)
  const asked = tokenIn(await use(w, other, { fast, inside: wish() }))
  t.ok((await use(w, asked?.attrs.token)).is('success'))
})

test('a count that was seen is not taken again (XEP-0484 §4.4)', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  const counted = (count: string): Promise<Element> =>
    use(w, token, { fast: `<fast xmlns='${NS_FAST}' count='${count}'/>` })
  t.ok((await counted('3')).is('success'))
  t.equal(condition(await counted('3')), 'not-authorized')
  t.equal(condition(await counted('2')), 'not-authorized')
  t.ok((await counted('4')).is('success'))
})

test('CRY-3: a new password ends every token', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  await w.server.run(DOMAIN, 'user password', {
    jid: `romeo@${DOMAIN}`,
    password: 'another secret',
  })
  t.equal(condition(await use(w, token)), 'not-authorized')
})

test('a disabled account is told so only by its token (SEC-22)', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  await w.server.run(DOMAIN, 'user disable', { jids: `romeo@${DOMAIN}` })
  t.equal(condition(await use(w, token)), 'account-disabled')
  t.equal(condition(await use(w, 'guess')), 'not-authorized')
})

test('SEC-28: whoever gets a removed name again gets no token with it', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  const jid = `romeo@${DOMAIN}`
  await w.server.run(DOMAIN, 'user remove', { jids: jid })
  t.same(await w.server.database.knex('login_tokens').select(), [])
  await w.server.run(DOMAIN, 'user add', { jid, password: 'secret of romeo', force: true })
  t.equal(condition(await use(w, token)), 'not-authorized')
})

test('an account keeps tokens for fifty installations, the latest ones (SEC-30)', async (t) => {
  const w = await world(t, here)
  const host = w.server.hosts.get(DOMAIN)!
  const accounts = host.modules.get('accounts')!.offers.provides as AccountsApi
  const { number } = await accounts.existing('romeo')
  const rows = Array.from({ length: 60 }, (_, at) => ({
    number,
    agent: `00000000-0000-4000-8000-0000000000${String(at).padStart(2, '0')}`,
    slot: 'new',
    mechanism: 'HT-SHA-256-NONE',
    seed: Buffer.alloc(16),
    issued: at,
    expires: at + DAY,
    count: 0,
  }))
  await w.server.database.knex('login_tokens').insert(rows)
  await issue(w)
  const left: string[] = await w.server.database.knex('login_tokens').pluck('agent')
  t.equal(left.length, 50)
  t.ok(left.includes(AGENT))
  t.notOk(left.includes(rows[10]!.agent))
})

test('rows alone let nobody in: no token is in the database', async (t) => {
  const w = await world(t, here)
  const token = await issue(w)
  const [row] = await w.server.database.knex('login_tokens').select()
  const seen = Object.values(row).map((value) =>
    Buffer.isBuffer(value) ? value.toString('base64url') : String(value),
  )
  t.notOk(seen.some((value) => value.includes(token) || token.includes(value.padEnd(8, '\0'))))
})

test('tokens that are over go by themselves', async (t) => {
  const w = await world(t, here)
  await issue(w)
  const tasks = w.server.hosts.get(DOMAIN)!.modules.get('authentication')!.offers.tasks ?? []
  w.clock.advance(21 * DAY)
  for (const task of tasks) await task.run()
  t.equal((await w.server.database.knex('login_tokens').select()).length, 1)
  w.clock.advance(1)
  for (const task of tasks) await task.run()
  t.same(await w.server.database.knex('login_tokens').select(), [])
})
