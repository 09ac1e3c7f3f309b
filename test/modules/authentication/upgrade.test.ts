// Upgrade tasks (XEP-0480): an account with SHA-1 keys alone gets the others.

import { createHmac, pbkdf2Sync } from 'node:crypto'
import type { Test } from 'tap'
import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { scramKeys } from '../../../modules/accounts/scram-keys.js'
import { DOMAIN, type World, world } from '../../world/world.js'
import { condition, LoginClient } from './login-client.js'
import { additional, authenticate, identity, NS_SASL2, scram2 } from './sasl2-client.js'
import { until } from '../../world/until.js'

const SALT = Buffer.from('0123456789abcdef')
const old = { mechanism: 'SCRAM-SHA-1', name: 'tybalt', password: 'prince of cats' }
const WANTED = ['UPGR-SCRAM-SHA-256', 'UPGR-SCRAM-SHA-512']
  .map((task) => `<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>${task}</upgrade>`)
  .join('')

/** tybalt came from a server that knew SHA-1 only. */
async function withTybalt(t: Test): Promise<{ w: World; accounts: AccountsApi }> {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const host = w.server.hosts.get(DOMAIN)!
  const accounts = host.modules.get('accounts')!.offers.provides as AccountsApi
  const salted = pbkdf2Sync(old.password, SALT, 4096, 20, 'sha1')
  const keys = [scramKeys({ hash: 'SHA-1', salt: SALT, iterations: 4096 }, salted)]
  await accounts.create('tybalt', { keys })
  return { w, accounts }
}

function answerOf(question: Element, [digest, bytes]: [string, number], password: string): string {
  const salt = question.getChild('salt', 'urn:xmpp:scram-upgrade:0')!
  const rounds = Number(salt.attrs.iterations)
  const salted = pbkdf2Sync(password, Buffer.from(salt.getText(), 'base64'), rounds, bytes, digest)
  return `<task-data xmlns='${NS_SASL2}'><hash xmlns='urn:xmpp:scram-upgrade:0'>${salted.toString('base64')}</hash></task-data>`
}

test('an account that lacks keys is offered what it has, and the upgrades (XEP-0480 §3.1)', async (t) => {
  const { w } = await withTybalt(t)
  const login = await LoginClient.connect(w, { from: `tybalt@${DOMAIN}` })
  t.same(login.mechanisms(), ['SCRAM-SHA-1', 'PLAIN'])
  const list = login.features.getChild('authentication', NS_SASL2)!
  t.same(
    list.getChildren('upgrade', 'urn:xmpp:sasl:upgrade:0').map((one) => one.getText()),
    ['UPGR-SCRAM-SHA-512', 'UPGR-SCRAM-SHA-256'],
  )
  const other = await LoginClient.connect(w, { from: `romeo@${DOMAIN}` })
  t.notOk(other.features.getChild('authentication', NS_SASL2)!.getChild('upgrade'))
})

test('one task follows the other, success comes last, and the new keys work (XEP-0480 §3.3)', async (t) => {
  const { w } = await withTybalt(t)
  const from = `tybalt@${DOMAIN}`
  const login = await LoginClient.connect(w, { from })
  const { answer, client } = await scram2(login, old, { inside: WANTED })
  t.ok(answer.is('continue', NS_SASL2))
  t.ok(client.accepts(additional(answer)), 'the server proves itself before the client goes on')
  let asked = answer
  for (const [task, parameters] of [
    ['UPGR-SCRAM-SHA-512', ['sha512', 64]],
    ['UPGR-SCRAM-SHA-256', ['sha256', 32]],
  ] as const) {
    t.equal(asked.getChild('tasks')?.getChildText('task'), task)
    const question = await login.says(`<next xmlns='${NS_SASL2}' task='${task}'/>`)
    asked = await login.says(answerOf(question, [...parameters], old.password))
  }
  t.ok(asked.is('success', NS_SASL2))
  t.equal(identity(asked), from)
  t.notOk(asked.getChild('additional-data'), 'it was said already')
  t.equal((await login.next()).getName(), 'features')
  for (const mechanism of ['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1']) {
    const again = await LoginClient.connect(w, { from })
    t.ok((await scram2(again, { ...old, mechanism })).answer.is('success', NS_SASL2), mechanism)
  }
})

test('nobody is logged in while a task is open (XEP-0480 §3.2)', async (t) => {
  const { w } = await withTybalt(t)
  const login = await LoginClient.connect(w)
  await scram2(login, old, { inside: WANTED })
  login.client.sends('<presence/>')
  await login.client.settle()
  t.ok(login.client.streamError?.getChild('not-authorized'))
})

test('an answer that is none ends the login, and the account keeps what it had', async (t) => {
  const { w } = await withTybalt(t)
  const next = `<next xmlns='${NS_SASL2}' task='UPGR-SCRAM-SHA-512'/>`
  const wrong = [
    [`<next xmlns='${NS_SASL2}' task='UPGR-SCRAM-SHA-256'/>`],
    [`<task-data xmlns='${NS_SASL2}'/>`],
    [next, next],
    [next, `<task-data xmlns='${NS_SASL2}'/>`],
    [
      next,
      `<task-data xmlns='${NS_SASL2}'><hash xmlns='urn:xmpp:scram-upgrade:0'>AAAA</hash></task-data>`,
    ],
    [`<response xmlns='${NS_SASL2}'>AAAA</response>`],
  ]
  for (const said of wrong) {
    const login = await LoginClient.connect(w, { from: `tybalt@${DOMAIN}` })
    let { answer } = await scram2(login, old, { inside: WANTED })
    for (const element of said) answer = await login.says(element)
    t.equal(condition(answer), 'malformed-request', said.join())
  }
  const login = await LoginClient.connect(w, { from: `tybalt@${DOMAIN}` })
  t.same(login.mechanisms(), ['SCRAM-SHA-1', 'PLAIN'])
})

test('a password that was sent itself is stored as it is stored today', async (t) => {
  const { w, accounts } = await withTybalt(t)
  const login = await LoginClient.connect(w)
  t.equal((await login.plain('tybalt', old.password)).getName(), 'success')
  await until(() => accounts.passwords.hashesOf('tybalt').length === 3)
  t.same(accounts.passwords.hashesOf('tybalt'), ['SHA-512', 'SHA-256', 'SHA-1'])
  const again = await LoginClient.connect(w)
  const { answer } = await scram2(again, { ...old, mechanism: 'SCRAM-SHA-512' })
  t.ok(answer.is('success', NS_SASL2))
})

test('whoever did not prove the password adds no form of it: a token is not enough', async (t) => {
  const { w } = await withTybalt(t)
  const wish = "<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>"
  const first = await LoginClient.connect(w)
  const { answer } = await scram2(first, old, { inside: wish })
  const token: string = answer.getChild('token')?.attrs.token
  const hashed = createHmac('sha256', token).update('Initiator').digest()
  const login = await LoginClient.connect(w)
  const initial = Buffer.concat([Buffer.from('tybalt\0'), hashed])
  const inside = `<fast xmlns='urn:xmpp:fast:0'/>${WANTED}`
  const second = await login.says(authenticate('HT-SHA-256-NONE', { initial, inside }))
  t.ok(second.is('success', NS_SASL2))
})
