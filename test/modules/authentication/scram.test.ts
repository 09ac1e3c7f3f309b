// SCRAM: published vectors for its arithmetic and messages, an independent client for its exchange.

import { createHash, pbkdf2Sync } from 'node:crypto'
import { test } from 'tap'
import { downgradeHash } from '../../../modules/authentication/downgrade.js'
import { readFinal, readFirst } from '../../../modules/authentication/scram-messages.js'
import { proves, serverSignature } from '../../../modules/authentication/scram-proof.js'
import { Decoys, scramKeys } from '../../../modules/accounts/scram-keys.js'
import { DOMAIN, world } from '../../world/world.js'
import { bindingTls, condition, data, END_POINT, EXPORTER, LoginClient } from './login-client.js'
import { ScramClient } from './scram-client.js'

const vectors = [
  {
    source: 'RFC 5802 §5',
    hash: 'SHA-1',
    salt: 'QSXCR+Q6sek8bf92',
    message:
      'n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j',
    proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    source: 'RFC 7677 §3',
    hash: 'SHA-256',
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    message:
      'n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
] as const

for (const vector of vectors) {
  test(`keys, proof and signature are those of ${vector.source}`, async (t) => {
    const salt = Buffer.from(vector.salt, 'base64')
    const [digest, bytes] = vector.hash === 'SHA-1' ? ['sha1', 20] : ['sha256', 32]
    const salted = pbkdf2Sync('pencil', salt, 4096, bytes as number, digest as string)
    const keys = scramKeys({ hash: vector.hash, salt, iterations: 4096 }, salted)
    const proof = Buffer.from(vector.proof, 'base64')
    t.ok(proves(proof, keys, vector.message))
    t.equal(serverSignature(keys, vector.message).toString('base64'), vector.signature)
    proof[3]! ^= 1
    t.notOk(proves(proof, keys, vector.message))
    t.notOk(proves(proof.subarray(1), keys, vector.message))
  })
}

test('the hash over what was advertised is that of XEP-0474 §5.3', async (t) => {
  const offer = {
    mechanisms: ['SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS'],
    bindings: ['tls-server-end-point', 'tls-exporter'] as const,
  }
  t.equal(downgradeHash(offer, 'SHA-1'), 'G6k/rBLDqgOhRRaCuuatSDFkJ08=')
  t.equal(downgradeHash(offer, 'SHA-1'), 'G6k/rBLDqgOhRRaCuuatSDFkJ08=', 'and again')
})

test('without channel binding only the mechanisms are hashed (XEP-0474 §5.1)', async (t) => {
  const offer = { mechanisms: ['SCRAM-SHA-256', 'PLAIN'], bindings: [] }
  const expected = createHash('sha512').update('PLAIN\x1eSCRAM-SHA-256').digest('base64')
  t.equal(downgradeHash(offer, 'SHA-512'), expected)
})

test('first messages are read by the grammar of RFC 5802 §7', async (t) => {
  const first = readFirst('p=tls-exporter,a=ro=2Cmeo=3D,n=user=2C,r=abc,x=more')
  t.same(first?.binding, { flag: 'p', type: 'tls-exporter' })
  t.equal(first?.authzid, 'ro,meo=')
  t.equal(first?.name, 'user,')
  t.equal(first?.nonce, 'abc')
  t.equal(first?.gs2, 'p=tls-exporter,a=ro=2Cmeo=3D,')
  const refused = [
    '',
    'n',
    'n,,',
    'x,,n=user,r=abc',
    'p=,,n=user,r=abc',
    'n,b=x,n=user,r=abc',
    'n,a=,n=user,r=abc',
    'n,,m=ext,n=user,r=abc',
    'n,,n=,r=abc',
    'n,,n=us=er,r=abc',
    'n,,n=us=2c,r=abc',
    'n,,n=user,r=',
    'n,,n=user,r=a c',
    'n,,n=user,r=aéc',
    'n,,n=user,r=abc,',
    'n,,n=user,r=abc,xyz',
    'n,,r=abc,n=user',
    `n,,n=user,r=${'a'.repeat(300)}`,
    'n,,n=us\0er,r=abc',
    'ny,,n=user,r=abc',
  ]
  for (const text of refused) t.equal(readFirst(text), undefined, text)
})

test('final messages are read by the grammar of RFC 5802 §7', async (t) => {
  const final = readFinal('c=biws,r=abc,x=more,p=AAAA')
  t.equal(final?.withoutProof, 'c=biws,r=abc,x=more')
  t.same(final?.proof, Buffer.alloc(3))
  const refused = [
    '',
    'p=AAAA',
    'c=biws,p=AAAA',
    'r=abc,c=biws,p=AAAA',
    'c=biws,r=abc',
    'c=biws,r=abc,p=',
    'c=biws,r=abc,p=A',
    'c=biws,r=abc,p=AAA',
    'c=biws,r=abc,p=AAAA,x=y',
    'c=biws,r=abc,p=AA==AA',
    'c=bi ws,r=abc,p=AAAA',
    'c=,r=abc,p=AAAA',
  ]
  for (const text of refused) t.equal(readFinal(text), undefined, text)
})

for (const mechanism of ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512']) {
  test(`${mechanism} lets in who knows the password, and proves the server (RFC 5802 §3)`, async (t) => {
    const w = await world(t, { modules: ['authentication'], loggedIn: false })
    const login = await LoginClient.connect(w)
    const romeo = { mechanism, name: 'romeo', password: 'secret of romeo' }
    const { answer, client } = await login.scram(romeo)
    t.equal(answer.getName(), 'success')
    t.ok(client.accepts(data(answer)))
    t.equal(Buffer.from(client.attribute('s')!, 'base64').length, 16)
    const features = await login.open()
    t.ok(features.getChild('bind'), 'a new stream, logged in (RFC 6120 §6.4.6)')
    t.notOk(features.getChild('mechanisms'))
  })

  test(`${mechanism} refuses a wrong password`, async (t) => {
    const w = await world(t, { modules: ['authentication'], loggedIn: false })
    const login = await LoginClient.connect(w)
    const { answer } = await login.scram({ mechanism, name: 'romeo', password: 'guess' })
    t.equal(condition(answer), 'not-authorized')
  })

  for (const [type, binding] of [
    ['tls-exporter', EXPORTER],
    ['tls-server-end-point', END_POINT],
  ] as const) {
    test(`${mechanism}-PLUS binds to ${type}`, async (t) => {
      const w = await world(t, { modules: ['authentication'], loggedIn: false })
      const asked = {
        mechanism: `${mechanism}-PLUS`,
        name: 'romeo',
        password: 'secret of romeo',
        flag: `p=${type}`,
      }
      const login = await LoginClient.connect(w, { tls: { ...bindingTls } })
      const { answer, client } = await login.scram({ ...asked, binding })
      t.equal(answer.getName(), 'success')
      t.ok(client.accepts(data(answer)))
      const other = await LoginClient.connect(w, { tls: { ...bindingTls } })
      const middle = await other.scram({ ...asked, binding: Buffer.from('of another connection') })
      t.equal(condition(middle.answer), 'not-authorized', 'somebody stands in the middle')
    })
  }
}

test('a nonce that is not ours ends in not-authorized (RFC 5802 §5.1)', async (t) => {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const login = await LoginClient.connect(w)
  const client = new ScramClient({
    mechanism: 'SCRAM-SHA-256',
    name: 'romeo',
    password: 'secret of romeo',
  })
  const challenge = await login.auth('SCRAM-SHA-256', client.first())
  const answer = await login.responds(client.final(data(challenge), { nonce: 'mine' }))
  t.equal(condition(answer), 'not-authorized')
})

for (const [what, command, args] of [
  [
    'has another password',
    'user password',
    { jid: 'romeo@capulet.example', password: 'another secret, of Romeo' },
  ],
  ['is disabled', 'user disable', { jids: ['romeo@capulet.example'] }],
] as const) {
  test(`who ${what} since the exchange began is not let in (RFC 5802 §3)`, async (t) => {
    const w = await world(t, { modules: ['authentication'], loggedIn: false })
    const login = await LoginClient.connect(w)
    const romeo = { mechanism: 'SCRAM-SHA-256', name: 'romeo', password: 'secret of romeo' }
    const client = new ScramClient(romeo)
    const challenge = await login.auth('SCRAM-SHA-256', client.first())
    await w.server.run(DOMAIN, command, args)
    const answer = await login.responds(client.final(data(challenge)))
    t.equal(answer.getName(), 'failure')
  })
}

test('the advertised list is signed in the challenge (XEP-0474)', async (t) => {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const login = await LoginClient.connect(w, { tls: { ...bindingTls } })
  const { client } = await login.scram({
    mechanism: 'SCRAM-SHA-256',
    name: 'romeo',
    password: 'secret of romeo',
  })
  const shown = `${login.mechanisms().sort().join('\x1e')}\x1ftls-exporter\x1etls-server-end-point`
  t.equal(client.attribute('h'), createHash('sha256').update(shown).digest('base64'))
})

test('over a WebSocket the first profile has no optional attribute: libraries in use refuse it (RFC 5802 §7)', async (t) => {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const login = await LoginClient.connect(w, { client: w.stranger({ framing: 'message' }) })
  const { client } = await login.scram({
    mechanism: 'SCRAM-SHA-256',
    name: 'romeo',
    password: 'secret of romeo',
  })
  t.equal(client.attribute('h'), undefined)
})

test('keys for a name that nobody has: the salt is the same every time, and differs by name and hash (SEC-22)', async (t) => {
  const decoys = new Decoys(Buffer.alloc(32, 7))
  const once = decoys.for('mercutio', 4096)
  t.same(new Decoys(Buffer.alloc(32, 7)).for('mercutio', 4096), once)
  t.same(
    [...once.values()].map(({ salt, storedKey }) => [salt.length, storedKey.length]),
    [
      [16, 64],
      [16, 32],
      [16, 20],
    ],
  )
  const others = [decoys.for('tybalt', 4096), new Decoys(Buffer.alloc(32, 8)).for('mercutio', 4096)]
  const salts = [once, ...others].flatMap((keys) =>
    [...keys.values()].map(({ salt }) => salt.toString('hex')),
  )
  t.equal(new Set(salts).size, 9)
})
