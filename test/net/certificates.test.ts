// Certificates: made by ourselves, chosen by SNI, exchanged under connections that are open; the
// rule of RFC 5929 for their hash.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { Certificates } from '../../lib/net/certificate-store.js'
import { selfSigned, selfSignedFiles } from '../../lib/net/certificates.js'
import { endPointBinding } from '../../lib/net/channel-binding.js'
import { ConfigError } from '../../lib/xmpp/errors.js'
import { ManualClock } from '../world/clock.js'
import { samples } from './certificate-samples.js'
import { dialTls, openTcp, type Port, readUntil } from './ports.js'

const DAY = 86_400_000

test('a certificate of our own names all hosts and is what it says', (t) => {
  const names = ['münchen.example', 'rooms.montague.example', '192.0.2.7', '2001:db8::1']
  const { certificate, key } = selfSigned(names)
  const read = new X509Certificate(certificate)
  t.match(read.subject, 'CN=xn--mnchen-3ya.example')
  t.ok(read.checkHost('xn--mnchen-3ya.example'))
  t.ok(read.checkHost('rooms.montague.example'))
  t.notOk(read.checkHost('capulet.example'))
  t.ok(read.checkIP('192.0.2.7'))
  t.ok(read.checkIP('2001:db8::1'))
  t.equal(read.ca, false)
  t.ok(read.verify(read.publicKey), 'signed by itself')
  t.ok(read.checkPrivateKey(createPrivateKey(key)))
  t.same(read.publicKey.asymmetricKeyDetails, { namedCurve: 'prime256v1' })
  t.ok(
    Date.parse(read.validFrom) < Date.now() && Date.parse(read.validTo) > Date.now() + 3000 * DAY,
  )
  t.not(read.serialNumber, new X509Certificate(selfSigned(names).certificate).serialNumber)
  t.end()
})

test('it stays the same over restarts, and is made anew for another name or when it is old', async (t) => {
  const folder = join(t.testdir(), 'tls')
  const files = await selfSignedFiles(folder, ['montague.example'])
  const first = readFileSync(files.certificate, 'utf8')
  t.equal(statSync(files.key).mode & 0o777, 0o600)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  t.same(await selfSignedFiles(folder, ['montague.example']), files)
  t.equal(readFileSync(files.certificate, 'utf8'), first)
  await selfSignedFiles(folder, ['montague.example', 'rooms.montague.example'])
  const second = readFileSync(files.certificate, 'utf8')
  t.not(second, first)
  await selfSignedFiles(folder, ['montague.example'], Date.now() + 3640 * DAY)
  t.not(readFileSync(files.certificate, 'utf8'), second)
  t.end()
})

async function servedFor(port: Port, servername?: string): Promise<string> {
  const client = await dialTls({ port: port.port, ...(servername ? { servername } : {}) })
  const { subject } = client.getPeerX509Certificate()!
  client.destroy()
  return subject
}

test('every host has its certificate by SNI; its services and strangers get the nearest', async (t) => {
  const certificates = new Certificates()
  for (const domain of ['montague.example', 'capulet.example']) {
    await certificates.add(domain, await selfSignedFiles(t.testdir({ [domain]: {} }), [domain]))
  }
  const port = await openTcp(t, { tls: 'direct', certificates })
  t.equal(await servedFor(port, 'montague.example'), 'CN=montague.example')
  t.equal(await servedFor(port, 'Capulet.Example'), 'CN=capulet.example')
  t.equal(await servedFor(port, 'rooms.capulet.example'), 'CN=capulet.example')
  t.equal(await servedFor(port, 'elsewhere.example'), 'CN=montague.example')
  t.equal(await servedFor(port), 'CN=montague.example')
  certificates.close()
})

test('a new certificate is served from its first look on, and no connection is dropped', async (t) => {
  const clock = new ManualClock()
  const folder = t.testdir({ tls: {}, next: {} })
  const files = await selfSignedFiles(join(folder, 'tls'), ['localhost'])
  let reloads = 0
  const certificates = new Certificates({ clock, interval: 5_000, onReload: () => reloads++ })
  await certificates.add('localhost', files)
  const port = await openTcp(t, { tls: 'direct', certificates })
  const arrived = port.next()
  const open = await dialTls({ port: port.port })
  const server = await arrived
  // Asked once: on the client's side Node takes the certificate out of the chain.
  const seen = open.getPeerX509Certificate()!
  const before = certificates.certificateFor('localhost')!.fingerprint256
  const next = await selfSignedFiles(join(folder, 'next'), ['localhost'])
  copyFileSync(next.certificate, files.certificate)
  copyFileSync(next.key, files.key)
  await certificates.refresh()
  t.equal(reloads, 0, 'a change must have stood still for one look')
  await certificates.refresh()
  t.equal(reloads, 1)
  const fresh = await dialTls({ port: port.port })
  t.not(fresh.getPeerX509Certificate()!.fingerprint256, before)
  t.equal(seen.fingerprint256, before)
  server.transport.write('still here')
  t.equal(await readUntil(open, 'still here'), 'still here')
  t.same(
    server.transport.tls?.endPoint(),
    createHash('sha256').update(seen.raw).digest(),
    'the open connection keeps its binding',
  )
  for (const client of [open, fresh]) client.destroy()
  certificates.close()
  t.equal(clock.waiting, 0)
})

test('files that break keep the old certificate and are reported once', async (t) => {
  const files = await selfSignedFiles(t.testdir(), ['localhost'])
  const problems: string[] = []
  const certificates = new Certificates({
    onProblem: (domain, { message }) => problems.push(`${domain}: ${message}`),
  })
  await certificates.add('localhost', files)
  const before = certificates.contextFor('localhost')
  writeFileSync(files.certificate, 'nonsense')
  for (let i = 0; i < 3; i++) await certificates.refresh(true)
  writeFileSync(files.certificate, selfSigned(['localhost']).certificate)
  for (let i = 0; i < 3; i++) await certificates.refresh(true)
  t.equal(problems.length, 2)
  t.match(problems[1], /is not the key of/)
  t.equal(certificates.contextFor('localhost'), before)
  certificates.close()
})

test('the clock makes the looks', async (t) => {
  const clock = new ManualClock()
  const files = await selfSignedFiles(t.testdir(), ['localhost'])
  const reloaded = new Promise<string>((resolve) => {
    const certificates = new Certificates({ clock, onReload: resolve })
    t.teardown(() => certificates.close())
    certificates.add('localhost', files).then(() => {
      const { certificate, key } = selfSigned(['localhost'])
      writeFileSync(files.certificate, certificate)
      writeFileSync(files.key, key)
    })
  })
  const ticking = setInterval(() => clock.advance(5_000), 5)
  t.equal(await reloaded, 'localhost')
  clearInterval(ticking)
})

test('what cannot be read at the start is an error of the configuration', async (t) => {
  const certificates = new Certificates()
  const missing = { certificate: '/nowhere/a.pem', key: '/nowhere/a.key' }
  await t.rejects(certificates.add('localhost', missing), ConfigError)
  t.throws(() => certificates.contextFor('localhost'), ConfigError)
})

test('tls-server-end-point takes the hash of the signature, SHA-256 for weak ones, none for Ed25519 (RFC 5929 §4.1)', (t) => {
  for (const [name, { pem, hash }] of Object.entries(samples)) {
    const certificate = new X509Certificate(pem)
    const expected = hash && createHash(hash).update(certificate.raw).digest()
    t.same(endPointBinding(certificate), expected, name)
  }
  t.end()
})
