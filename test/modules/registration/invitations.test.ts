// Invitations: made, used once, taken back (XEP-0401, XEP-0445).

import { test, type Test } from 'tap'
import type { HostSettings } from '../../../lib/core/settings.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { type World, world, type WorldOptions } from '../../world/world.js'
import type { AccountRegistry } from '../../../modules/accounts/account-registry.js'
import { runs, values } from '../commands/ad-hoc.js'
import { outcome, signUp } from './sign-up-client.js'

const CREATE = 'urn:xmpp:invite#create-account'
const INVITE = 'urn:xmpp:invite#invite'

function house(t: Test, options: WorldOptions = {}, host: Partial<HostSettings> = {}) {
  const settings = { registration: 'invite', ...host } as const
  const modules = ['registration', 'commands']
  return world(t, { modules, people: ['romeo', 'nurse'], ...options, host: settings })
}

async function invite(verona: World, args: Record<string, unknown> = {}): Promise<string> {
  const { rows } = await verona.server.run(undefined, 'invite create', args)
  return tokenOf(String(rows?.[0]?.uri))
}

function tokenOf(uri: string): string {
  return /preauth=([0-9a-f]{32})(;|$)/.exec(uri)?.[1] ?? `no token in ${uri}`
}

async function conditionOf(refused: Promise<unknown>): Promise<string | undefined> {
  const error = await refused.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof StanzaError ? error.condition : `not refused: ${error}`
}

async function exists(verona: World, name: string): Promise<boolean> {
  return (await verona.server.hosts.get('capulet.example')!.accounts!.lookup(name)) !== undefined
}

test('both stream features are offered (XEP-0445 §3)', async (t) => {
  const { features } = await signUp(await house(t))
  t.ok(features.getChild('register', 'urn:xmpp:ibr-token:0'))
  t.ok(features.getChild('register', 'http://jabber.org/features/iq-register'))
})

test('without an invitation nobody registers', async (t) => {
  const verona = await house(t)
  const stranger = await signUp(verona)
  t.equal(outcome(await stranger.registers('tybalt')), 'forbidden')
  t.notOk(await exists(verona, 'tybalt'))
})

test('a token lets in, then the account is registered as always (XEP-0445 §4)', async (t) => {
  const verona = await house(t)
  const token = await invite(verona)
  const stranger = await signUp(verona)
  t.equal(outcome(await stranger.preauth(token)), 'result')
  const fields = (await stranger.asks()).getChild('query')!
  t.notOk(fields.getChild('x'), 'the plain fields are enough now')
  t.equal(outcome(await stranger.registers('tybalt')), 'result')
  t.equal((await verona.device('tybalt')).jid, 'tybalt@capulet.example/laptop')
})

test('who knows forms only enters the token there (XEP-0077 §4)', async (t) => {
  const verona = await house(t)
  const token = await invite(verona)
  const stranger = await signUp(verona)
  const asked = (await stranger.asks()).getChild('query')!
  t.notOk(asked.getChild('username'), 'instructions beside the form, no fields (XEP-0077 §6)')
  const fields = asked
    .getChild('x')!
    .getChildren('field')
    .map(({ attrs }) => attrs.var)
  t.same(fields, ['FORM_TYPE', 'username', 'password', 'x-token'])
  const filled = { username: 'tybalt', password: 'a good password' }
  t.equal(outcome(await stranger.submits({ ...filled, 'x-token': 'guess' })), 'item-not-found')
  t.equal(outcome(await stranger.submits({ ...filled, 'x-token': ` ${token} ` })), 'result')
})

test('a token that is unknown, used up, revoked or expired is not found (XEP-0445 §4)', async (t) => {
  const verona = await house(t)
  const preauth = async (token: string) => outcome(await (await signUp(verona)).preauth(token))
  t.equal(await preauth('f'.repeat(32)), 'item-not-found')
  t.equal(await preauth('x'.repeat(5000)), 'item-not-found')
  const used = await invite(verona)
  const stranger = await signUp(verona)
  await stranger.preauth(used)
  await stranger.registers('tybalt')
  t.equal(await preauth(used), 'item-not-found')
  const revoked = await invite(verona)
  const [row] = (await verona.server.run(undefined, 'invite list', {})).rows!
  await verona.server.run(undefined, 'invite revoke', { id: row!.id })
  t.equal(await preauth(revoked), 'item-not-found')
  const expired = await invite(verona, { days: 1 })
  const lasting = await invite(verona, { days: 0 })
  verona.clock.advance(24 * 60 * 60_000 - 1)
  t.equal(await preauth(expired), 'result')
  verona.clock.advance(1)
  t.equal(await preauth(expired), 'item-not-found')
  t.equal(await preauth(lasting), 'result')
})

test('what expires after it was shown still counts (XEP-0445 §4)', async (t) => {
  const verona = await house(t)
  const token = await invite(verona, { days: 1 })
  verona.clock.advance(24 * 60 * 60_000 - 1000)
  const stranger = await signUp(verona)
  await stranger.preauth(token)
  verona.clock.advance(2000)
  t.equal(outcome(await stranger.registers('tybalt')), 'result')
})

test('it is not used before the account is there (XEP-0445 §4)', async (t) => {
  const verona = await house(t)
  const token = await invite(verona)
  const stranger = await signUp(verona)
  await stranger.preauth(token)
  t.equal(outcome(await stranger.registers('romeo')), 'conflict')
  t.equal(outcome(await stranger.registers('tybalt', 'short')), 'not-acceptable')
  await stranger.client.leaves()
  const second = await signUp(verona)
  t.equal(outcome(await second.preauth(token)), 'result')
  t.equal(outcome(await second.registers('tybalt')), 'result')
})

test('no use counts twice, not for many at once either', async (t) => {
  const verona = await house(t)
  const token = await invite(verona, { uses: 2 })
  const strangers = await Promise.all([1, 2, 3, 4, 5].map(() => signUp(verona)))
  for (const stranger of strangers) t.equal(outcome(await stranger.preauth(token)), 'result')
  const answers = await Promise.all(strangers.map((one, i) => one.registers(`capulet${i}`)))
  t.same(answers.map(outcome).sort(), ['forbidden', 'forbidden', 'forbidden', 'result', 'result'])
  const found = await Promise.all([0, 1, 2, 3, 4].map((i) => exists(verona, `capulet${i}`)))
  t.equal(found.filter(Boolean).length, 2, 'and who was refused has no account')
})

test('an invitation for one name is for nobody else, and keeps it (XEP-0401 §6.2)', async (t) => {
  const verona = await house(t, {}, { registration: 'open' })
  const token = await invite(verona, { username: 'Juliet' })
  const stranger = await signUp(verona)
  t.equal(outcome(await stranger.registers('juliet')), 'conflict', 'it is kept')
  await stranger.preauth(token)
  t.equal((await stranger.asks()).getChild('query')?.getChildText('username'), 'juliet')
  t.equal(outcome(await stranger.registers('rosaline')), 'not-acceptable')
  t.equal(outcome(await stranger.registers('juliet')), 'result')
  const taken = verona.server.run(undefined, 'invite create', { username: 'juliet' })
  t.equal(await conditionOf(taken), 'conflict')
})

test('a name is free again when its invitation has expired', async (t) => {
  const verona = await house(t, {}, { registration: 'open' })
  await invite(verona, { username: 'juliet', days: 1 })
  const twice = verona.server.run(undefined, 'invite create', { username: 'juliet' })
  t.equal(await conditionOf(twice), 'conflict')
  verona.clock.advance(24 * 60 * 60_000)
  t.equal(outcome(await (await signUp(verona)).registers('juliet')), 'result')
})

test('a user invites: both are contacts at once (XEP-0401 §4.1, §5)', async (t) => {
  const verona = await house(t)
  await verona.romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  const answer = await runs(verona.romeo, INVITE)
  t.same(values(answer, 'FORM_TYPE'), ['urn:xmpp:invite#invitation'])
  const [uri] = values(answer, 'uri')!
  t.match(uri, /^xmpp:romeo@capulet\.example\?roster;preauth=[0-9a-f]{32};ibr=y$/)
  t.same(values(answer, 'expire'), ['2026-01-08T00:00:00.000Z'])
  const stranger = await signUp(verona)
  await stranger.preauth(tokenOf(uri!))
  t.equal(outcome(await stranger.registers('juliet')), 'result')
  const item = "<item jid='juliet@capulet.example' subscription='both'/>"
  await verona.romeo.finds(`<iq type='set'><query xmlns='jabber:iq:roster'>${item}</query></iq>`)
  const juliet = await verona.device('juliet')
  const roster = await juliet.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
  t.match(String(roster), /jid="romeo@capulet.example"/)
  t.match(String(roster), /subscription="both"/)
})

test('an administrator invites from a client (XEP-0401 §4.4)', async (t) => {
  const { nurse } = await house(t)
  const answer = await runs(nurse, CREATE, { username: 'juliet' })
  t.match(
    values(answer, 'uri')?.[0],
    /^xmpp:juliet@capulet\.example\?register;preauth=[0-9a-f]{32}$/,
  )
  const anybody = await runs(nurse, CREATE, {})
  t.match(values(anybody, 'uri')?.[0], /^xmpp:capulet\.example\?register;preauth=[0-9a-f]{32}$/)
})

test('a user has only so many open invitations (LIM-invitations)', async (t) => {
  const options = { registration: { user_invitations: 2 } }
  const { romeo, clock } = await house(t, { options })
  const results = []
  for (let i = 0; i < 3; i++) results.push(outcome(await runs(romeo, INVITE)))
  t.same(results, ['result', 'result', 'resource-constraint'])
  clock.advance(7 * 24 * 60 * 60_000)
  t.equal(outcome(await runs(romeo, INVITE)), 'result')
})

test('where only administrators invite, users do not', async (t) => {
  const options = { registration: { user_invitations: 0 } }
  const { romeo } = await house(t, { options })
  t.equal(outcome(await runs(romeo, INVITE)), 'forbidden')
  t.equal(outcome(await runs(romeo, CREATE, {})), 'forbidden')
})

test('where registration is closed nobody is invited', async (t) => {
  const { romeo, nurse } = await house(t, {}, { registration: 'closed' })
  t.equal(outcome(await runs(romeo, INVITE)), 'not-allowed')
  t.equal(outcome(await runs(nurse, CREATE, {})), 'not-allowed')
})

test('the list shows no token, and the database holds none (SEC-26)', async (t) => {
  const verona = await house(t)
  const token = await invite(verona, { uses: 3 })
  const { rows } = await verona.server.run(undefined, 'invite list', {})
  t.match(rows, [{ by: '', uses: 3, username: null, expires: '2026-01-08T00:00:00.000Z' }])
  t.notMatch(JSON.stringify(rows), token)
  const kept = await verona.server.database.knex('invitations').select('*')
  t.notMatch(JSON.stringify(kept), token)
})

test('invitations end with the account that made them', async (t) => {
  const verona = await house(t)
  const [uri] = values(await runs(verona.romeo, INVITE), 'uri')!
  await verona.server.run(undefined, 'user remove', { jids: 'romeo@capulet.example' })
  await verona.settle()
  t.equal(outcome(await (await signUp(verona)).preauth(tokenOf(uri!))), 'item-not-found')
})

test('a guest invites nobody and has no account to change (XEP-0175)', async (t) => {
  const verona = await house(t)
  const registry = verona.server.hosts.get('capulet.example')!.modules.get('accounts')!.offers
    .provides as AccountRegistry
  const guest = await verona.device(registry.guests.admit()!.jid.text)
  t.equal(outcome(await runs(guest, INVITE)), 'forbidden')
  for (const inside of [
    '<remove/>',
    `<username>${guest.account.split('@')[0]}</username><password>a good password</password>`,
  ]) {
    const query = `<query xmlns='jabber:iq:register'>${inside}</query>`
    t.equal(outcome(await guest.asks('set', undefined, query)), 'registration-required')
  }
})

test('who invites from elsewhere or from the machine becomes nobody’s contact', async (t) => {
  const verona = await house(t)
  const refused = verona.server.run(undefined, 'invite create', { contact: true })
  t.equal(await conditionOf(refused), 'bad-request')
})

test('numbers out of bounds are refused', async (t) => {
  const verona = await house(t)
  for (const args of [
    { uses: 0 },
    { uses: 10_001 },
    { days: -1 },
    { days: 3651 },
    { username: 'juliet', uses: 2 },
  ]) {
    const refused = verona.server.run(undefined, 'invite create', args)
    t.equal(await conditionOf(refused), 'bad-request', JSON.stringify(args))
  }
  const name = verona.server.run(undefined, 'invite create', { username: 'a b' })
  t.equal(await conditionOf(name), 'jid-malformed')
  const revoked = verona.server.run(undefined, 'invite revoke', { id: 77 })
  t.equal(await conditionOf(revoked), 'item-not-found')
})
