// A client certificate instead of a password (XEP-0178 §2), with certificates that OpenSSL made and
// the real program.

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { test, type Test } from 'tap'
import { realServer, type RealServer } from './real-server.js'

const XMPP_ADDRESS = '1.3.6.1.5.5.7.8.5'

function openssl(folder: string, ...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
}

/** An authority, the server's certificate, and one for romeo@localhost from `authority`. */
function certificates(folder: string): void {
  const key = (name: string) => [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
  ]
  for (const name of ['people', 'strangers', 'server']) {
    openssl(
      folder,
      'req',
      '-x509',
      ...key(name),
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-addext',
      'subjectAltName=DNS:localhost',
    )
  }
  writeFileSync(
    join(folder, 'romeo.ext'),
    `subjectAltName=otherName:${XMPP_ADDRESS};UTF8:romeo@localhost\n`,
  )
  openssl(folder, 'req', '-new', ...key('romeo'), '-out', 'romeo.csr', '-subj', '/CN=romeo')
  for (const authority of ['people', 'strangers']) {
    const signed = [
      '-CA',
      `${authority}.pem`,
      '-CAkey',
      `${authority}.key`,
      '-CAcreateserial',
      '-days',
      '2',
    ]
    openssl(
      folder,
      'x509',
      '-req',
      '-in',
      'romeo.csr',
      ...signed,
      '-extfile',
      'romeo.ext',
      '-out',
      `by-${authority}.pem`,
    )
  }
}

async function served(t: Test): Promise<{ server: RealServer; folder: string }> {
  const folder = t.testdir()
  certificates(folder)
  const server = await realServer(t, {
    'tls.certificate': join(folder, 'server.pem'),
    'tls.key': join(folder, 'server.key'),
    'tls.client_ca': join(folder, 'people.pem'),
  })
  await server.addUser('romeo', 'wherefore art thou')
  return { server, folder }
}

/** Says something and waits for what it wants to hear. */
function hears(socket: TLSSocket, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    socket.on('data', (chunk) => {
      said += chunk.toString()
      if (wanted.test(said)) resolve(said)
    })
    socket.once('close', () => reject(new Error(`closed after ${said}`)))
  })
}

function dial(
  t: Test,
  { server, folder }: { server: RealServer; folder: string },
  certificate: string,
): TLSSocket {
  const read = (name: string) => readFileSync(join(folder, name))
  const socket = connect({
    port: server.c2sTls,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: read('server.pem'),
    cert: read(certificate),
    key: read('romeo.key'),
    ALPNProtocols: ['xmpp-client'],
  })
  t.teardown(() => socket.destroy())
  socket.write(
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='localhost'>",
  )
  return socket
}

test('who has a certificate of the authority logs in without a password (XEP-0178 §2)', async (t) => {
  const place = await served(t)
  const socket = dial(t, place, 'by-people.pem')
  t.match(await hears(socket, /<\/stream:features>/), /<mechanism>EXTERNAL<\/mechanism>/)
  socket.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
  t.ok(await hears(socket, /<success/))
})

test('a certificate of another authority counts for nothing (SEC-27)', async (t) => {
  const place = await served(t)
  const socket = dial(t, place, 'by-strangers.pem')
  t.notMatch(await hears(socket, /<\/stream:features>/), /EXTERNAL/)
  socket.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>")
  t.match(await hears(socket, /<\/failure>/), /invalid-mechanism/)
})
