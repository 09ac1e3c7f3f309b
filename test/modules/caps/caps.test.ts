// Entity Capabilities (XEP-0115): the server's own, and what it learns of its clients.

import { createHash } from 'node:crypto'
import { test, type Test } from 'tap'
import { elements } from '../../../lib/xmpp/element.js'
import type { CapsApi } from '../../../modules/caps/caps.js'
import { verificationHash } from '../../../modules/caps/verification.js'
import type { Client } from '../../world/client.js'
import { type World, world } from '../../world/world.js'

const CAPS = 'http://jabber.org/protocol/caps'
const INFO = 'http://jabber.org/protocol/disco#info'
const NODE = 'http://code.google.com/p/exodus'
const VER = 'QgayPKawpkPSDYmwT/WM94uAlu0='

const exodus =
  "<identity category='client' name='Exodus 0.9.1' type='pc'/>" +
  ['caps', 'disco#info', 'disco#items', 'muc']
    .map((name) => `<feature var='http://jabber.org/protocol/${name}'/>`)
    .join('')
const MUC = 'http://jabber.org/protocol/muc'

function announce(client: Client, { ver = VER, hash = "hash='sha-1'" } = {}): void {
  client.sends(`<presence><c xmlns='${CAPS}' ${hash} node='${NODE}' ver='${ver}'/></presence>`)
}

/** The question to a client that announced something; undefined where none came. */
async function question(client: Client): Promise<{ id: string; node: string } | undefined> {
  await client.settle()
  const at = client.inbox.findIndex((element) => element.is('iq') && element.attrs.type === 'get')
  if (at < 0) return undefined
  const [iq] = client.inbox.splice(at, 1)
  return { id: iq!.attrs.id, node: iq!.getChild('query', INFO)?.attrs.node }
}

async function answers(client: Client, inside: string): Promise<void> {
  const asked = await question(client)
  if (!asked) throw new Error('nothing was asked')
  const query = `<query xmlns='${INFO}' node='${asked.node}'>${inside}</query>`
  client.sends(`<iq type='result' id='${asked.id}' to='capulet.example'>${query}</iq>`)
  await client.settle()
}

function stage(t: Test) {
  return world(t, { modules: ['caps', 'presence'] })
}

function featuresOf({ server }: World, client: Client): ReadonlySet<string> | undefined {
  const host = server.hosts.get('capulet.example')!
  const api = host.modules.get('caps')!.offers.provides as CapsApi
  const session = [...host.sessions.all()].find(({ jid }) => jid.text === client.jid)
  return session && api.featuresOf(session)
}

test("the server's own are in the stream features and true (XEP-0115 §6.3)", async (t) => {
  const verona = await world(t, { modules: ['caps', 'ping', 'contact-info'] })
  const stranger = verona.stranger()
  stranger.open()
  await stranger.settle()
  const { node, ver, hash } = stranger.inbox[0]!.getChild('c', CAPS)!.attrs
  t.equal(hash, 'sha-1')
  const named = `<query xmlns='${INFO}' node='${node}#${ver}'/>`
  const answer = await verona.romeo.asks('get', 'capulet.example', named)
  const info = answer.getChild('query', INFO)!
  t.equal(info.attrs.node, `${node}#${ver}`)
  t.equal(verificationHash('sha1', elements(info)), ver)
  const plain = await verona.romeo.asks('get', 'capulet.example', `<query xmlns='${INFO}'/>`)
  t.equal(
    String(plain.getChild('query')?.children),
    String(info.children),
    'the same as without it',
  )
})

test('another version of the server is not found (XEP-0115 §6.2)', async (t) => {
  const { romeo } = await stage(t)
  const named = `<query xmlns='${INFO}' node='urn:tercet:server#${VER}'/>`
  const answer = await romeo.asks('get', 'capulet.example', named)
  t.ok(answer.getChild('error')?.getChild('item-not-found'))
})

test('a client is asked what it announces (XEP-0115 §6.2)', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo)
  const asked = await question(verona.romeo)
  t.equal(asked?.node, `${NODE}#${VER}`)
})

test('what one proves is known of all who announce it, without asking (XEP-0115 §3)', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo)
  await answers(verona.romeo, exodus)
  t.ok(featuresOf(verona, verona.romeo)?.has(MUC))
  announce(verona.juliet)
  t.equal(await question(verona.juliet), undefined)
  t.ok(featuresOf(verona, verona.juliet)?.has(MUC))
})

test('what is not proven is believed of nobody else (SEC-62)', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo)
  await answers(verona.romeo, exodus.replace(MUC, 'urn:evil+notify'))
  t.ok(featuresOf(verona, verona.romeo)?.has('urn:evil+notify'), 'what he says of himself')
  announce(verona.juliet)
  t.notOk(featuresOf(verona, verona.juliet))
  await answers(verona.juliet, exodus)
  t.ok(featuresOf(verona, verona.juliet)?.has(MUC))
  t.notOk(featuresOf(verona, verona.juliet)?.has('urn:evil+notify'))
})

test('under another hash the same version is another one (SEC-62)', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo)
  await answers(verona.romeo, exodus)
  announce(verona.juliet, { hash: "hash='sha-256'" })
  t.ok(await question(verona.juliet))
})

test('the format before hashes proves nothing and is not asked for (XEP-0115 §11, SEC-62)', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo, { hash: '', ver: '0.9' })
  t.equal(await question(verona.romeo), undefined)
})

test('who announces the same again is not asked again', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo)
  await answers(verona.romeo, exodus.replace(MUC, 'urn:other'))
  for (let i = 0; i < 10; i++) announce(verona.romeo)
  t.equal(await question(verona.romeo), undefined)
  announce(verona.romeo, { ver: 'another' })
  t.ok(await question(verona.romeo), 'something else is asked for')
})

test('an answer that comes late does not stand for what was announced since', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo, { ver: 'first' })
  const first = await question(verona.romeo)
  announce(verona.romeo)
  await answers(verona.romeo, exodus)
  const query = `<query xmlns='${INFO}'><feature var='urn:late'/></query>`
  verona.romeo.sends(`<iq type='result' id='${first!.id}' to='capulet.example'>${query}</iq>`)
  await verona.settle()
  t.ok(featuresOf(verona, verona.romeo)?.has(MUC))
  t.notOk(featuresOf(verona, verona.romeo)?.has('urn:late'))
})

test('presence without capabilities takes them back', async (t) => {
  const verona = await stage(t)
  announce(verona.romeo)
  await answers(verona.romeo, exodus)
  await verona.romeo.comesOnline()
  t.notOk(featuresOf(verona, verona.romeo))
})

test('an error, silence or far too many features teach nothing (LIM-caps-features)', async (t) => {
  const verona = await stage(t)
  const many = Array.from({ length: 501 }, (_, i) => `<feature var='urn:${i}'/>`).join('')
  announce(verona.romeo, { ver: 'many' })
  await answers(verona.romeo, many)
  t.equal(featuresOf(verona, verona.romeo)?.size, 0)
  announce(verona.juliet, { ver: 'silence' })
  await question(verona.juliet)
  verona.clock.advance(60_000)
  await verona.settle()
  t.notOk(featuresOf(verona, verona.juliet))
})

test('thousands of versions do not fill the memory (LIM-caps-cache)', async (t) => {
  const verona = await stage(t)
  const { romeo } = verona
  const one = (i: number) => `<identity category='client' type='pc' name='${i}'/>`
  const version = (i: number) => {
    const string = `client/pc//${i}<`
    return createHash('sha1').update(string).digest('base64')
  }
  for (let i = 0; i <= 5000; i++) {
    announce(romeo, { ver: version(i) })
    const asked = romeo.inbox.findLast((element) => element.is('iq'))!
    const query = `<query xmlns='${INFO}'>${one(i)}</query>`
    romeo.sends(`<iq type='result' id='${asked.attrs.id}' to='capulet.example'>${query}</iq>`)
    romeo.inbox = []
    if (i % 100 === 0) await romeo.settle()
  }
  await verona.settle()
  announce(verona.juliet, { ver: version(5000) })
  t.equal(await question(verona.juliet), undefined, 'the latest is known')
  announce(verona.juliet, { ver: version(0) })
  t.ok(await question(verona.juliet), 'the oldest is forgotten')
})
