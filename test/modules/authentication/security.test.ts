// SEC-20 to SEC-26 of logging in, over all mechanisms.

import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { isOwn } from '../../../modules/authentication/mechanism.js'
import { DOMAIN, type World, world } from '../../world/world.js'
import { bindingTls, condition, EXPORTER, LoginClient } from './login-client.js'
import { identity, romeo, scram2 } from './sasl2-client.js'
import { ScramClient } from './scram-client.js'

const here = { modules: ['authentication'], loggedIn: false } as const
const OWN = `romeo@${DOMAIN}`

const others = [
  `juliet@${DOMAIN}`,
  'romeo@montague.example',
  `${OWN}/balcony`,
  DOMAIN,
  'romeo',
  `romeo@${DOMAIN}..`,
  `rоmeo@${DOMAIN}`,
  `romeo@@${DOMAIN}`,
  ` ${OWN}`,
  `romeo\u200b@${DOMAIN}`,
]

test('SEC-20: nobody acts for another: PLAIN and every SCRAM', async (t) => {
  const w = await world(t, here)
  for (const authzid of others) {
    const plain = await LoginClient.connect(w)
    t.equal(
      condition(await plain.plain('romeo', romeo.password, authzid)),
      'invalid-authzid',
      authzid,
    )
    for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
      const login = await LoginClient.connect(w)
      const { answer } = await login.scram({ ...romeo, mechanism, authzid })
      t.equal(condition(answer), 'invalid-authzid', `${mechanism} ${authzid}`)
    }
  }
})

test('SEC-20: the own bare address may be said, in any form that is the same address (XEP-0388 §4.4)', async (t) => {
  const w = await world(t, here)
  for (const authzid of [OWN, `ROMEO@${DOMAIN}`, `romeo@${DOMAIN.toUpperCase()}`, `${OWN}.`]) {
    const login = await LoginClient.connect(w)
    const { answer } = await scram2(login, { ...romeo, authzid })
    t.equal(identity(answer), OWN, 'and the identity is ours, not what was written')
  }
})

test('SEC-20: who says for whom this is must not have said otherwise in the header (XEP-0388 §2.3)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w, { from: `juliet@${DOMAIN}` })
  const { answer } = await scram2(login, { ...romeo, authzid: OWN })
  t.equal(condition(answer), 'invalid-authzid')
})

test('SEC-20: whatever is written, only the account itself is its own (property)', async (t) => {
  const account = Jid.parse(OWN)
  const mutated = fc
    .tuple(fc.nat(OWN.length), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }))
    .map(([at, text]) => OWN.slice(0, at) + text + OWN.slice(at))
  const any = fc.oneof(fc.string({ unit: 'grapheme' }), mutated, fc.webUrl(), fc.emailAddress())
  fc.assert(
    fc.property(any, (authzid) => {
      const same = authzid === '' || Jid.tryParse(authzid)?.text === OWN
      return isOwn(authzid, account) === same
    }),
    { numRuns: 500 },
  )
  t.pass()
})

test('SEC-21: secrets are compared by hashes of both sides, in one place', async (t) => {
  const compared = sourcesOf('modules/accounts', 'modules/authentication')
  const uses = compared.filter(({ code }) =>
    /timingSafeEqual|\.equals\(|Buffer\.compare/.test(code),
  )
  const buffers = uses.filter(({ code }) => /timingSafeEqual|Buffer\.compare/.test(code))
  t.same(
    buffers.map(({ name }) => name),
    ['secrets-equal.ts'],
  )
  const forbidden =
    /\b\w*(secret|proof|storedKey|serverKey|hashed|expected|signature|token)\w*\s*[!=]==?\s*(?!undefined)[\w#.]*\b/i
  for (const { name, code } of compared) {
    const lines = code.split('\n').filter((line) => forbidden.test(line) && !/undefined/.test(line))
    t.same(lines, [], name)
  }
})

function sourcesOf(...folders: string[]): { name: string; code: string }[] {
  const root = findRoot(dirname(fileURLToPath(import.meta.url)))
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => ({
        name,
        code: readFileSync(join(root, folder, name), 'utf8').replace(
          /^\s*(\/\/|\*|\/\*\*).*$/gm,
          '',
        ),
      })),
  )
}

function findRoot(folder: string): string {
  return readdirSync(folder).includes('package.json') ? folder : findRoot(dirname(folder))
}

async function challengeFor(w: World, name: string): Promise<ScramClient> {
  const login = await LoginClient.connect(w, { from: `${name}@${DOMAIN}` })
  const { client, answer } = await login.scram({ ...romeo, name, password: 'guess' })
  if (condition(answer) !== 'not-authorized') throw new Error(`${name}: ${answer}`)
  return client
}

test('SEC-22: names that nobody has look like accounts: mechanisms, salt, rounds, answers', async (t) => {
  const w = await world(t, here)
  const lists = new Set<string>()
  for (const name of ['romeo', 'mercutio', 'not a name', 'x'.repeat(1023), 'a@b']) {
    const login = await LoginClient.connect(w, { from: `${name}@${DOMAIN}` }).catch(() => undefined)
    if (login) lists.add(`${login.features.getChild('authentication')} ${login.mechanisms()}`)
    const mechanism = 'SCRAM-SHA-256'
    const [once, again] = [await LoginClient.connect(w), await LoginClient.connect(w)]
    const first = (await once.scram({ ...romeo, mechanism, name, password: 'guess' })).client
    const second = (await again.scram({ ...romeo, mechanism, name, password: 'guess' })).client
    t.equal(first.attribute('s'), second.attribute('s'), 'the same salt each time')
    t.equal(Buffer.from(first.attribute('s')!, 'base64').length, 16)
    t.equal(first.attribute('i'), '1')
    t.not(first.attribute('r'), second.attribute('r'))
    const plain = await LoginClient.connect(w)
    t.equal(condition(await plain.plain(name, 'guess')), 'not-authorized')
  }
  t.equal(lists.size, 1)
})

test('SEC-22: the salt of nobody is the same on all nodes and after a restart', async (t) => {
  const w = await world(t, { ...here, nodes: 2 })
  const [one, other] = w.servers.map(
    (server) => server.hosts.get(DOMAIN)!.modules.get('accounts')!.offers.provides as AccountsApi,
  )
  const salt = async (api: AccountsApi): Promise<string> =>
    (await api.passwords.credentials('mercutio')).keys('SHA-256').salt.toString('hex')
  t.equal(await salt(one!), await salt(other!))
})

test('SEC-22: a name that nobody has costs the same steps as an account', async (t) => {
  const w = await world(t, here)
  const accounts = w.server.hosts.get(DOMAIN)!.modules.get('accounts')!.offers
    .provides as AccountsApi
  const queries: string[] = []
  w.server.database.knex.on('query', ({ sql }) => queries.push(sql))
  accounts.passwords.forget('romeo')
  const steps = async (name: string): Promise<string[]> => {
    queries.length = 0
    await challengeFor(w, name)
    return queries.slice()
  }
  const known = await steps('romeo')
  t.equal(known.length, 1)
  t.same(await steps('mercutio'), known)
  t.same(await steps('romeo'), [], 'and then both are remembered')
  t.same(await steps('mercutio'), [])
})

test('SEC-24: "y" is refused where -PLUS was offered, and taken where it was not (RFC 5802 §6)', async (t) => {
  const w = await world(t, here)
  const tampered = await LoginClient.connect(w, { tls: { ...bindingTls } })
  t.equal(condition((await tampered.scram({ ...romeo, flag: 'y' })).answer), 'not-authorized')
  const honest = await LoginClient.connect(w)
  t.equal((await honest.scram({ ...romeo, flag: 'y' })).answer.getName(), 'success')
})

test('SEC-24: tls-unique and other bindings that we have not are refused', async (t) => {
  const w = await world(t, here)
  for (const type of ['tls-unique', 'tls-server-end-point2', 'x']) {
    const login = await LoginClient.connect(w, { tls: { ...bindingTls } })
    const asked = {
      ...romeo,
      mechanism: 'SCRAM-SHA-256-PLUS',
      flag: `p=${type}`,
      binding: EXPORTER,
    }
    t.equal(condition((await login.scram(asked)).answer), 'malformed-request', type)
  }
})

test('SEC-24: -PLUS needs a binding, and a binding needs -PLUS', async (t) => {
  const w = await world(t, here)
  const plus = await LoginClient.connect(w, { tls: { ...bindingTls } })
  const mechanism = 'SCRAM-SHA-256-PLUS'
  t.equal(
    condition((await plus.scram({ ...romeo, mechanism, flag: 'n' })).answer),
    'malformed-request',
  )
  t.equal(
    condition((await plus.scram({ ...romeo, mechanism, flag: 'y' })).answer),
    'malformed-request',
  )
  const flag = 'p=tls-exporter'
  const asked = await plus.scram({ ...romeo, flag, binding: EXPORTER })
  t.equal(condition(asked.answer), 'malformed-request')
})

test('SEC-24: the header that was sent first is the one that is bound', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const client = new ScramClient(romeo)
  const challenge = await login.auth('SCRAM-SHA-256', client.first())
  const final = client.final(Buffer.from(challenge.getText(), 'base64')).toString()
  const changed = final.replace('c=biws', `c=${Buffer.from('y,,').toString('base64')}`)
  t.not(changed, final)
  t.equal(condition(await login.responds(Buffer.from(changed))), 'not-authorized')
})

test('SEC-26: what the server adds to a nonce has 144 bits', async (t) => {
  const w = await world(t, here)
  const client = await challengeFor(w, 'romeo')
  t.equal(client.attribute('r')!.length, 'fyko+d2lbbFgONRv9qkxdawL'.length + 24)
})
