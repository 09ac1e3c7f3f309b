// Registering before login and managing one's own account after it (XEP-0077).

import { test, type Test } from 'tap'
import type { HostSettings } from '../../../lib/core/settings.js'
import { type World, world, type WorldOptions } from '../../world/world.js'
import { FEATURE, NS_REGISTER, outcome, signUp } from './sign-up-client.js'

function open(t: Test, options: WorldOptions = {}, host: Partial<HostSettings> = {}) {
  const settings = { registration: 'open', ...host } as const
  return world(t, { modules: ['registration'], people: [], ...options, host: settings })
}

async function exists(world: World, name: string): Promise<boolean> {
  return (await world.server.hosts.get('capulet.example')!.accounts!.lookup(name)) !== undefined
}

const query = (inside: string) => `<query xmlns='${NS_REGISTER}'>${inside}</query>`

test('a stranger asks for the fields, fills them in and can log in (XEP-0077 §3.1)', async (t) => {
  const verona = await open(t)
  const stranger = await signUp(verona)
  t.ok(stranger.features.getChild('register', FEATURE), 'the feature is offered')
  const fields = (await stranger.asks()).getChild('query', NS_REGISTER)!
  t.ok(fields.getChild('username') && fields.getChild('password'))
  t.notOk(fields.getChild('registered'))
  const answer = await stranger.registers('Tybalt')
  t.equal(outcome(answer), 'result')
  t.equal((await verona.device('tybalt')).jid, 'tybalt@capulet.example/laptop')
})

test('an answer before login names us where the request did (RFC 6120 §8.1.2.1)', async (t) => {
  const stranger = await signUp(await open(t))
  t.equal((await stranger.asks()).attrs.from, 'capulet.example')
  t.equal((await stranger.registers('tybalt')).attrs.from, undefined)
})

test('a data form counts before the fields beside it (XEP-0077 §6)', async (t) => {
  const verona = await open(t)
  const stranger = await signUp(verona)
  const answer = await stranger.submits({ username: 'paris', password: 'a good password' })
  t.equal(outcome(answer), 'result')
  t.ok(await exists(verona, 'paris'))
})

test('over WebSocket registration works the same (RFC 7395 §3.3.3)', async (t) => {
  const verona = await open(t)
  const client = verona.stranger({ framing: 'message' })
  client.open()
  await client.settle()
  const inside = query('<username>tybalt</username><password>a good password</password>')
  t.equal(outcome(await client.asks('set', undefined, inside)), 'result')
  t.match(client.transcript.at(-1), /^<iq xmlns='jabber:client'/)
})

test('where registration is closed it is not offered and not there (XEP-0077 §3.1)', async (t) => {
  const verona = await open(t, {}, { registration: 'closed' })
  const stranger = await signUp(verona)
  t.notOk(stranger.features.getChild('register', FEATURE))
  t.equal(outcome(await stranger.asks()), 'service-unavailable')
  t.equal(outcome(await stranger.registers('tybalt')), 'service-unavailable')
  t.notOk(await exists(verona, 'tybalt'))
})

test('in clear it is refused where encryption is required (SEC-12)', async (t) => {
  const verona = await open(t)
  const stranger = await signUp(verona, { clear: true })
  t.notOk(stranger.features.getChild('register', FEATURE))
  t.equal(outcome(await stranger.asks()), 'not-authorized')
  t.equal(outcome(await stranger.registers('tybalt')), 'not-authorized')
  t.notOk(await exists(verona, 'tybalt'))
})

test('in clear it is offered where the configuration allows clear text', async (t) => {
  const verona = await open(t, {}, { encryption: 'optional' })
  const stranger = await signUp(verona, { clear: true })
  t.equal(outcome(await stranger.registers('tybalt')), 'result')
})

test('any other stanza before login ends the stream (RFC 6120 §4.9.3.12)', async (t) => {
  const verona = await open(t)
  for (const stanza of [
    "<message to='romeo@capulet.example'><body>Ho!</body></message>",
    '<presence/>',
    "<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>",
    `<iq type='result' id='1'>${query('')}</iq>`,
    `<iq type='get' id='1' to='montague.example'>${query('')}</iq>`,
    `<iq type='get' id='1' to='romeo@capulet.example'>${query('')}</iq>`,
    `<iq type='get' id='1'>${query('')}<other xmlns='urn:other'/></iq>`,
  ]) {
    const { client } = await signUp(verona)
    client.sends(stanza)
    await client.settle()
    t.ok(client.streamError?.getChild('not-authorized'), stanza)
    t.ok(client.closed, stanza)
  }
})

test('what is missing is not acceptable, an empty password too (XEP-0077 §3.1)', async (t) => {
  const verona = await open(t)
  const stranger = await signUp(verona)
  for (const inside of [
    '',
    '<username>tybalt</username>',
    '<password>a good password</password>',
    '<username>tybalt</username><password/>',
    '<username/><password>a good password</password>',
  ])
    t.equal(outcome(await stranger.sets(query(inside))), 'not-acceptable', inside)
  t.notOk(await exists(verona, 'tybalt'))
})

test('a password that is too short is not acceptable, and says why', async (t) => {
  const verona = await open(t, { options: { registration: { password_length: 6 } } })
  const stranger = await signUp(verona)
  const answer = await stranger.registers('tybalt', 'short')
  t.equal(outcome(answer), 'not-acceptable')
  t.match(answer.getChild('error')?.getChildText('text'), /6 characters/)
  t.equal(outcome(await stranger.registers('tybalt', 'longer')), 'result')
})

test('a name that is taken, looks like one, or was removed once is a conflict (SEC-28, SEC-71)', async (t) => {
  const verona = await open(t, { people: ['paris', 'tybalt'], loggedIn: false })
  await verona.server.run(undefined, 'user remove', { jids: 'tybalt@capulet.example' })
  const stranger = await signUp(verona)
  t.equal(outcome(await stranger.registers('paris')), 'conflict')
  t.equal(outcome(await stranger.registers('PARIS')), 'conflict', 'another case')
  t.equal(outcome(await stranger.registers('pаris')), 'conflict', 'a Cyrillic letter')
  t.equal(outcome(await stranger.registers('tybalt')), 'conflict', 'removed once')
  t.notOk(await exists(verona, 'tybalt'))
})

test('what cannot be a name is refused', async (t) => {
  const stranger = await signUp(await open(t))
  for (const name of ['a b', 'a/b', 'a@b', '"', 'x'.repeat(1100)])
    t.equal(outcome(await stranger.registers(name)), 'jid-malformed', name.slice(0, 10))
})

test('one connection registers once (XEP-0077 §3.1.1)', async (t) => {
  const stranger = await signUp(await open(t))
  t.equal(outcome(await stranger.registers('tybalt')), 'result')
  t.equal(outcome(await stranger.registers('mercutio')), 'not-acceptable')
})

test('who is not registered has nothing to cancel (XEP-0077 §3.2)', async (t) => {
  const stranger = await signUp(await open(t))
  t.equal(outcome(await stranger.sets(query('<remove/>'))), 'unexpected-request')
})

test('three accounts within an hour for an address, whatever else is tried (LIM-registration)', async (t) => {
  const verona = await open(t, { limits: 'default' })
  const register = async (name: string, address: string) =>
    outcome(await (await signUp(verona, { address })).registers(name))
  t.equal(await register('a1', '192.0.2.1'), 'result')
  t.equal(await register('a1', '192.0.2.1'), 'conflict', 'what fails does not count')
  t.equal(await register('a2', '192.0.2.1'), 'result')
  t.equal(await register('a3', '192.0.2.1'), 'result')
  t.equal(await register('a4', '192.0.2.1'), 'not-acceptable')
  t.equal(await register('b1', '192.0.2.2'), 'result', 'another address')
  for (const name of ['c1', 'c2', 'c3'])
    t.equal(await register(name, `2001:db8::${name}`), 'result')
  t.equal(await register('c4', '2001:db8::ffff:1'), 'not-acceptable', 'the same /64')
  verona.clock.advance(60 * 60_000)
  t.equal(await register('a4', '192.0.2.1'), 'result', 'an hour later')
})

test('who tries at the same time gets no more than three (LIM-registration)', async (t) => {
  const verona = await open(t, { limits: 'default' })
  const strangers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(() => signUp(verona)))
  const answers = await Promise.all(strangers.map((one, i) => one.registers(`name${i}`)))
  t.equal(answers.map(outcome).filter((result) => result === 'result').length, 3)
})

test('sixty accounts within an hour for everybody together (LIM-registration)', async (t) => {
  const verona = await open(t, { limits: 'default' })
  for (let i = 0; i < 60; i++) {
    const stranger = await signUp(verona, { address: `192.0.2.${i}` })
    t.equal(outcome(await stranger.registers(`name${i}`)), 'result')
    await stranger.client.leaves()
  }
  const stranger = await signUp(verona, { address: '192.0.2.100' })
  t.equal(outcome(await stranger.registers('name60')), 'not-acceptable')
})

test('guessing what is free ends after 30 attempts within an hour (LIM-registration)', async (t) => {
  const verona = await open(t, { limits: 'default', people: ['paris'], loggedIn: false })
  const results: string[] = []
  for (let i = 0; i < 31; i++) {
    const stranger = await signUp(verona)
    results.push(outcome(await stranger.registers('paris')))
    await stranger.client.leaves()
  }
  t.same(results, [...Array(30).fill('conflict'), 'not-acceptable'])
})

// After login

test('who has an account is told so (XEP-0077 §3.1)', async (t) => {
  const { romeo } = await open(t, { people: ['romeo'] })
  for (const to of [undefined, 'capulet.example', 'romeo@capulet.example']) {
    const answer = (await romeo.asks('get', to, query(''))).getChild('query', NS_REGISTER)
    t.ok(answer?.getChild('registered'), String(to))
    t.equal(answer?.getChildText('username'), 'romeo')
    t.equal(answer?.getChild('password')?.getText(), '')
  }
})

test('a password is changed; this session stays (XEP-0077 §3.3)', async (t) => {
  const { romeo, server } = await open(t, { people: ['romeo'] })
  const host = server.hosts.get('capulet.example')!
  const kept: unknown[] = []
  host.events.add('test', {
    'account:password-changed': ({ keep }) => void kept.push(keep?.jid.text),
  })
  const inside = '<username>romeo</username><password>another password</password>'
  t.equal(outcome(await romeo.asks('set', 'capulet.example', query(inside))), 'result')
  t.same(kept, ['romeo@capulet.example/phone'])
  t.notOk(romeo.closed)
  const registry = host.modules.get('accounts')!.offers.provides as {
    passwords: { check(local: string, password: string): Promise<unknown> }
  }
  t.ok(await registry.passwords.check('romeo', 'another password'))
  t.notOk(await registry.passwords.check('romeo', 'secret of romeo'))
})

test('an incomplete change leaves the password there is (XEP-0077 §3.3)', async (t) => {
  const { romeo } = await open(t, { people: ['romeo'] })
  for (const inside of ['<username>romeo</username><password/>', '<password>longenough</password>'])
    t.equal(outcome(await romeo.asks('set', undefined, query(inside))), 'bad-request', inside)
  const short = '<username>romeo</username><password>short</password>'
  t.equal(outcome(await romeo.asks('set', undefined, query(short))), 'not-acceptable')
})

test("nobody changes somebody else's password", async (t) => {
  const { romeo } = await open(t, { people: ['romeo', 'juliet'] })
  const inside = '<username>juliet</username><password>longenough</password>'
  t.equal(outcome(await romeo.asks('set', undefined, query(inside))), 'forbidden')
  const toJuliet = await romeo.asks('set', 'juliet@capulet.example', query(inside))
  t.equal(outcome(toJuliet), 'service-unavailable')
})

test('cancelling: the result first, then the end of all sessions (XEP-0077 §3.2)', async (t) => {
  const verona = await open(t, { people: ['romeo', 'juliet'] })
  const garden = await verona.device('romeo', 'garden')
  verona.romeo.sends(`<iq type='set' id='unreg1'>${query('<remove/>')}</iq>`)
  await verona.romeo.receives("<iq type='result' id='unreg1'/>")
  for (const device of [verona.romeo, garden]) {
    t.ok(device.streamError?.getChild('not-authorized'))
    t.ok(device.closed)
  }
  t.match(verona.romeo.transcript.at(-3), /type='result'/, 'in this order')
  t.notOk(await exists(verona, 'romeo'))
  t.notOk(verona.juliet.closed)
  const stranger = await signUp(verona)
  t.equal(outcome(await stranger.registers('romeo')), 'conflict', 'the name stays gone (SEC-28)')
})

test('cancelling stands alone (XEP-0077 §3.2)', async (t) => {
  const verona = await open(t, { people: ['romeo'] })
  const inside = '<remove/><username>romeo</username>'
  t.equal(outcome(await verona.romeo.asks('set', undefined, query(inside))), 'bad-request')
  t.ok(await exists(verona, 'romeo'))
})

test("nobody cancels somebody else's account", async (t) => {
  const verona = await open(t, { people: ['romeo', 'juliet'] })
  const answer = await verona.romeo.asks('set', 'juliet@capulet.example', query('<remove/>'))
  t.equal(outcome(answer), 'service-unavailable')
  t.ok(await exists(verona, 'juliet'))
})

test('who lives elsewhere has no account here (XEP-0077 §3.2)', async (t) => {
  const verona = await open(t, { people: ['romeo@montague.example'], hosts: ['montague.example'] })
  const romeo = verona.person('romeo@montague.example')
  const ask = (type: 'get' | 'set', inside: string) =>
    romeo.asks(type, 'capulet.example', query(inside)).then(outcome)
  t.equal(await ask('get', ''), 'service-unavailable')
  t.equal(await ask('set', '<remove/>'), 'registration-required')
})

test('an operator may forbid both (XEP-0077 §3.2, §3.3)', async (t) => {
  const registration = { change_password: false, cancel_account: false }
  const { romeo } = await open(t, { people: ['romeo'], options: { registration } })
  const inside = '<username>romeo</username><password>longenough</password>'
  t.equal(outcome(await romeo.asks('set', undefined, query(inside))), 'not-allowed')
  t.equal(outcome(await romeo.asks('set', undefined, query('<remove/>'))), 'not-allowed')
})
