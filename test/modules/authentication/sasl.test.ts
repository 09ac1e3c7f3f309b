// SASL as RFC 6120 §6 has it, and PLAIN.

import { test } from 'tap'
import { DOMAIN, world } from '../../world/world.js'
import { condition, data, LoginClient, NS_SASL } from './login-client.js'
import { ScramClient } from './scram-client.js'

const here = { modules: ['authentication'], loggedIn: false } as const
const romeo = { mechanism: 'SCRAM-SHA-256', name: 'romeo', password: 'secret of romeo' }

test('mechanisms are offered strongest first, and none once logged in (RFC 6120 §6.3.3)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  t.same(login.mechanisms(), ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN'])
  await login.plain('romeo', 'secret of romeo')
  await login.open()
  t.same(login.mechanisms(), [])
})

test('the operator decides about PLAIN and SHA-1', async (t) => {
  const options = { authentication: { plain: false } }
  const w = await world(t, { ...here, options, host: { scramSha1: false } })
  const login = await LoginClient.connect(w)
  t.same(login.mechanisms(), ['SCRAM-SHA-512', 'SCRAM-SHA-256'])
  t.equal(condition(await login.plain('romeo', 'secret of romeo')), 'invalid-mechanism')
  t.same(
    await w.server.database.knex('account_keys').distinct('hash').orderBy('hash').pluck('hash'),
    ['SHA-256', 'SHA-512'],
  )
})

test('SEC-23: in clear nothing is offered or taken where TLS is required', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w, { tls: undefined })
  t.same(login.mechanisms(), [])
  login.client.sends(`<auth xmlns='${NS_SASL}' mechanism='PLAIN'>AHJvbWVvAHg=</auth>`)
  await login.client.settle()
  t.notMatch(login.client.transcript.join(''), /success/)
  t.ok(login.client.closed || login.client.inbox.some((one) => one.getName() === 'failure'))
})

test('in clear a login works where the operator allows it', async (t) => {
  const w = await world(t, { ...here, host: { encryption: 'optional' } })
  const login = await LoginClient.connect(w, { tls: undefined })
  t.ok(login.mechanisms().includes('PLAIN'))
  t.equal((await login.plain('romeo', 'secret of romeo')).getName(), 'success')
})

test('SEC-23: a mechanism that was not offered is no mechanism', async (t) => {
  const w = await world(t, here)
  const names = [
    'SCRAM-SHA-256-PLUS',
    'EXTERNAL',
    'ANONYMOUS',
    'DIGEST-MD5',
    'plain',
    '',
    'X'.repeat(99),
  ]
  for (const name of names) {
    const login = await LoginClient.connect(w)
    t.equal(condition(await login.auth(name, Buffer.from('x'))), 'invalid-mechanism', name)
  }
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.says(`<auth xmlns='${NS_SASL}'/>`)), 'invalid-mechanism')
})

test('no initial response is asked for with an empty challenge (RFC 6120 §6.4.2)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const empty = await login.auth('SCRAM-SHA-256')
  t.equal(empty.toString(), `<challenge xmlns="${NS_SASL}"/>`)
  const client = new ScramClient(romeo)
  const challenge = await login.responds(client.first())
  const success = await login.responds(client.final(data(challenge)))
  t.ok(client.accepts(data(success)))
})

test('data that is not base64 is incorrect-encoding (RFC 6120 §6.5.6)', async (t) => {
  const w = await world(t, here)
  const texts = [
    'AHJvbWVvAHg',
    'AHJv bWVv',
    'AHJv\nbWVv',
    '====',
    'A===',
    'AHJvbWVvAHh=',
    '%%%%',
    'AA_-',
    '==',
  ]
  for (const text of texts) {
    const login = await LoginClient.connect(w)
    t.equal(condition(await login.auth('PLAIN', text)), 'incorrect-encoding', text)
  }
})

test('an empty initial response is `=` (RFC 6120 §6.4.2), and no message of SCRAM or PLAIN', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.auth('PLAIN', '=')), 'malformed-request')
  t.equal(condition(await login.auth('SCRAM-SHA-256', '=')), 'malformed-request')
})

test('messages out of turn are malformed-request (RFC 6120 §6.5.9)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.responds('AAAA')), 'malformed-request')
  await login.auth('SCRAM-SHA-256', new ScramClient(romeo).first())
  t.equal(condition(await login.plain('romeo', 'secret of romeo')), 'malformed-request')
  t.equal((await login.scram(romeo)).answer.getName(), 'success', 'the first one was ended')
})

test('a client may give up and try again (RFC 6120 §6.4.4)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  await login.auth('SCRAM-SHA-256', new ScramClient(romeo).first())
  t.equal(condition(await login.says(`<abort xmlns='${NS_SASL}'/>`)), 'aborted')
  t.equal(condition(await login.responds('AAAA')), 'malformed-request')
  t.equal((await login.scram(romeo)).answer.getName(), 'success')
})

test('a login after the login ends the stream', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  await login.plain('romeo', 'secret of romeo')
  await login.open()
  login.client.sends(`<auth xmlns='${NS_SASL}' mechanism='PLAIN'>AHJvbWVvAHg=</auth>`)
  await login.client.settle()
  t.ok(login.client.streamError)
})

test('PLAIN lets in who knows the password (RFC 4616)', async (t) => {
  const w = await world(t, here)
  for (const name of ['romeo', 'ROMEO', 'ｒｏｍｅｏ']) {
    const login = await LoginClient.connect(w)
    t.equal((await login.plain(name, 'secret of romeo')).getName(), 'success', name)
  }
  const login = await LoginClient.connect(w)
  for (const [name, password] of [
    ['romeo', 'Secret of romeo'],
    ['romeo', 'secret of romeo '],
    ['romeo', 'secret of juliet'],
    ['mercutio', 'secret of romeo'],
  ] as const) {
    t.equal(condition(await login.plain(name, password)), 'not-authorized', password)
  }
})

test('passwords beyond ASCII are compared in their prepared form (RFC 8265 §4.2)', async (t) => {
  const w = await world(t, here)
  await w.server.run(DOMAIN, 'user add', { jid: `nurse@${DOMAIN}`, password: 'A\u030angel\u00a0π' })
  const login = await LoginClient.connect(w)
  t.equal((await login.plain('nurse', 'Ångel π')).getName(), 'success')
})

test('a PLAIN message that is none is malformed-request (RFC 4616 §2)', async (t) => {
  const w = await world(t, here)
  const messages = [
    'romeo\0secret',
    '\0romeo\0secret\0',
    '\0\0secret',
    '\0romeo\0',
    '',
    'romeo',
    '\0romeo\0a\0b',
  ]
  for (const message of messages) {
    const login = await LoginClient.connect(w)
    const answer = await login.auth('PLAIN', Buffer.from(message))
    t.equal(condition(answer), 'malformed-request', JSON.stringify(message))
  }
  const login = await LoginClient.connect(w)
  const broken = Buffer.concat([Buffer.from('\0romeo\0'), Buffer.from([0xc3, 0x28])])
  t.equal(condition(await login.auth('PLAIN', broken)), 'malformed-request', 'not UTF-8')
})

test('a disabled account learns it by its own password only (RFC 6120 §6.5.1)', async (t) => {
  const w = await world(t, here)
  await w.server.run(DOMAIN, 'user disable', { jids: `romeo@${DOMAIN}` })
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.plain('romeo', 'secret of romeo')), 'account-disabled')
  t.equal(condition(await login.plain('romeo', 'guess')), 'not-authorized')
  t.equal(condition((await login.scram(romeo)).answer), 'account-disabled')
  await w.server.run(DOMAIN, 'user enable', { jids: `romeo@${DOMAIN}` })
  t.equal((await login.plain('romeo', 'secret of romeo')).getName(), 'success')
})

test('a database that fails is a temporary failure, and a bug in the log', async (t) => {
  const w = await world(t, { ...here, mayFail: true })
  await w.server.database.knex.schema.dropTable('account_keys')
  const login = await LoginClient.connect(w)
  t.equal(condition(await login.plain('tybalt', 'guess')), 'temporary-auth-failure')
  t.match(w.log.join('\n'), /a bug in login by PLAIN/)
})

test('LOG-1: no password and no message of a mechanism is in the log', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  await login.plain('romeo', 'canary-of-verona')
  await login.scram({ ...romeo, password: 'canary-of-verona' })
  await login.plain('romeo', 'secret of romeo')
  t.notMatch(w.log.join('\n'), /canary|secret|Y2FuYX/)
})

test('SEC-25: a hundred passwords at once: those beyond the queue are told to come later', async (t) => {
  const w = await world(t, here)
  const logins: LoginClient[] = []
  for (let at = 0; at < 100; at++) logins.push(await LoginClient.connect(w))
  const [first] = logins
  await first!.plain('romeo', 'guess')
  const answers = await Promise.all(logins.map((login) => login.plain('romeo', 'guess')))
  const counts = new Map<string | undefined, number>()
  for (const answer of answers) {
    counts.set(condition(answer), (counts.get(condition(answer)) ?? 0) + 1)
  }
  t.same([...counts.keys()].sort(), ['not-authorized', 'temporary-auth-failure'])
  t.ok(counts.get('not-authorized')! >= 66, 'two at work and 64 waiting')
})
