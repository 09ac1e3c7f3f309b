// EXTERNAL (XEP-0178) and the addresses in certificates.

import type { Test } from 'tap'
import { test } from 'tap'
import {
  addressesIn,
  certificateAddresses,
} from '../../../modules/authentication/certificate-addresses.js'
import { DOMAIN, world } from '../../world/world.js'
import {
  type CertificateOptions,
  certificate,
  certificateDer,
  dnsName,
  email,
  otherName,
  subjectAltName,
  uri,
  xmppAddr,
} from './certificates.js'
import { condition, LoginClient, tls } from './login-client.js'
import { authenticate, identity } from './sasl2-client.js'

const ROMEO = `romeo@${DOMAIN}`
const JULIET = `juliet@${DOMAIN}`

function texts(options: CertificateOptions): string[] {
  return certificateAddresses(certificate(options)).map((jid) => jid.text)
}

test('every xmppAddr is read, prepared (RFC 6120 §13.7.1.4)', async (t) => {
  const names = [dnsName('im.example'), xmppAddr('Romeo@Capulet.Example'), xmppAddr(JULIET)]
  t.same(texts({ names }), [ROMEO, JULIET])
  t.same(texts({ names: [xmppAddr('jürgen@capulet.example')] }), ['jürgen@capulet.example'])
  t.same(texts({ names: [] }), [])
  t.same(texts({}), [])
})

test('SEC-27: nothing but an xmppAddr is an address', async (t) => {
  const others = [
    dnsName(ROMEO),
    email(ROMEO),
    uri(`xmpp:${ROMEO}`),
    otherName('1.3.6.1.4.1.311.20.2.3', ROMEO),
    otherName('1.3.6.1.5.5.7.8.7', ROMEO),
    xmppAddr(Buffer.from(ROMEO), 0x16),
  ]
  t.same(texts({ names: others }), [])
  const subject: [string, string][] = [
    ['2.5.4.3', ROMEO],
    ['2.5.4.11', `CN=${ROMEO}`],
    ['1.2.840.113549.1.9.1', ROMEO],
  ]
  t.same(texts({ subject }), [])
  const forged = otherName('1.3.6.1.4.1.311.20.2.3', `x, othername:XmppAddr:${ROMEO}`)
  t.same(texts({ names: [forged] }), [])
})

test('SEC-27: an address that is none is none: NUL, full, of a host, ill-formed', async (t) => {
  const bad = [
    `romeo@${DOMAIN}\0.attacker.example`,
    `${ROMEO}/balcony`,
    DOMAIN,
    '',
    `@${DOMAIN}`,
    `ro meo@${DOMAIN}`,
    `*@${DOMAIN}/`,
  ]
  t.same(texts({ names: bad.map((text) => xmppAddr(text)) }), [])
  t.same(texts({ names: [xmppAddr(Buffer.from([0xff, 0xfe, 0x40, 0x61]))] }), [], 'not UTF-8')
})

test('SEC-27: five thousand names are nobody, and cost little', async (t) => {
  const names = Array.from({ length: 5000 }, (_, at) => xmppAddr(`name${at}@${DOMAIN}`))
  const der = certificateDer({ names: [...names, xmppAddr(ROMEO)] })
  t.same(addressesIn(der), [])
})

test('SEC-27: a subjectAltName that stands there twice, or is cut short, says nothing', async (t) => {
  const twice = certificateDer({
    names: [xmppAddr(ROMEO)],
    extensions: [subjectAltName([xmppAddr(JULIET)])],
  })
  t.same(addressesIn(twice), [])
  const whole = certificateDer({ names: [xmppAddr(ROMEO)] })
  t.equal(addressesIn(whole).length, 1)
  for (let length = 0; length < whole.length; length++) {
    t.doesNotThrow(() => addressesIn(whole.subarray(0, length)), `${length} octets`)
  }
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole)
    changed[at] = 0xff
    t.doesNotThrow(() => addressesIn(changed), `octet ${at} changed`)
  }
})

async function connect(
  t: Test,
  names: readonly string[],
  trusted = true,
  serverName = DOMAIN,
): Promise<LoginClient> {
  const w = await world(t, { modules: ['authentication'], loggedIn: false })
  const peer = { certificate: certificate({ names: names.map((name) => xmppAddr(name)) }), trusted }
  return LoginClient.connect(w, { tls: { ...tls, serverName, peer } })
}

test('a certificate with one address logs in as it, asked for or not (XEP-0178 §2)', async (t) => {
  for (const authzid of ['', ROMEO]) {
    const login = await connect(t, [ROMEO, 'romeo@elsewhere.example'])
    t.equal(login.mechanisms()[0], 'EXTERNAL')
    const answer = await login.auth('EXTERNAL', Buffer.from(authzid))
    t.equal(answer.getName(), 'success')
    t.equal(answer.getText(), '')
    t.ok((await login.open()).getChild('bind'))
  }
})

test('of several addresses the client says which (XEP-0178 §2)', async (t) => {
  const login = await connect(t, [ROMEO, JULIET])
  t.equal(condition(await login.auth('EXTERNAL', Buffer.alloc(0))), 'invalid-authzid')
  const answer = await login.says(authenticate('EXTERNAL', { initial: Buffer.from(JULIET) }))
  t.equal(identity(answer), JULIET)
})

test('SEC-20: no other address by EXTERNAL', async (t) => {
  const login = await connect(t, [ROMEO])
  for (const authzid of [JULIET, 'romeo@elsewhere.example', `${ROMEO}/x`, 'romeo']) {
    t.equal(condition(await login.auth('EXTERNAL', Buffer.from(authzid))), 'invalid-authzid')
  }
})

test('an address without an account is not let in', async (t) => {
  const login = await connect(t, [`mercutio@${DOMAIN}`])
  t.equal(condition(await login.auth('EXTERNAL', Buffer.alloc(0))), 'not-authorized')
})

test('SEC-27: the authority of another host of this server vouches for nobody here', async (t) => {
  const login = await connect(t, [ROMEO], true, 'montague.example')
  t.notOk(login.mechanisms().includes('EXTERNAL'))
})

test('SEC-23: EXTERNAL is not to be had with a certificate that is not trusted or names nobody here', async (t) => {
  for (const [names, trusted] of [
    [[ROMEO], false],
    [['romeo@elsewhere.example'], true],
    [[], true],
  ] as const) {
    const login = await connect(t, names, trusted)
    t.notOk(login.mechanisms().includes('EXTERNAL'))
    t.equal(condition(await login.auth('EXTERNAL', Buffer.alloc(0))), 'invalid-mechanism')
  }
})
