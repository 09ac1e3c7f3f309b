// @xmpp/client, a client that we did not write, over WebSocket: SASL2, Bind 2 and FAST, contacts,
// presence and chat with the real program.

import { test } from 'tap'
import { WebSocket } from 'ws'
import { client, xml, type Client } from '@xmpp/client'
import { realServer, type RealServer } from './real-server.js'

Object.assign(globalThis, { WebSocket })

interface Node {
  name: string
  attrs: Record<string, string>
  is(name: string, xmlns?: string): boolean
  getChild(name: string, xmlns?: string): Node | undefined
  getChildText(name: string): string | null
}

/** A device that remembers what it sent and got, and lets the test wait for what it wants. */
class Device {
  readonly xmpp: Client
  readonly sent: Node[] = []
  readonly got: Node[] = []
  #waiting: { wanted: (node: Node) => boolean; found: (node: Node) => void }[] = []

  constructor(server: RealServer, username: string, password: string) {
    this.xmpp = client({
      service: `ws://127.0.0.1:${server.http}/xmpp`,
      domain: 'localhost',
      username,
      password,
    })
    this.xmpp.on('error', () => {})
    this.xmpp.on('send', (node: Node) => this.sent.push(node))
    this.xmpp.on('nonza', (node: Node) => this.#came(node))
    this.xmpp.on('stanza', (node: Node) => this.#came(node))
  }

  gets(wanted: (node: Node) => boolean): Promise<Node> {
    const there = this.got.find(wanted)
    return there
      ? Promise.resolve(there)
      : new Promise((found) => this.#waiting.push({ wanted, found }))
  }

  forget(): void {
    this.sent.length = 0
    this.got.length = 0
  }

  #came(node: Node): void {
    this.got.push(node)
    for (const waiting of this.#waiting.filter(({ wanted }) => wanted(node))) waiting.found(node)
    this.#waiting = this.#waiting.filter(({ wanted }) => !wanted(node))
  }
}

test('@xmpp/client logs in by SASL2 with Bind 2, and comes back by FAST', async (t) => {
  const server = await realServer(t)
  await server.addUser('romeo', 'wherefore art thou')
  await server.addUser('juliet', 'what is in a name')
  const romeo = new Device(server, 'romeo', 'wherefore art thou')
  const juliet = new Device(server, 'juliet', 'what is in a name')
  t.teardown(() => Promise.all([romeo.xmpp.stop(), juliet.xmpp.stop()]))
  for (const device of [romeo, juliet]) {
    await device.xmpp.start()
    const login = device.sent.find((node) => node.is('authenticate', 'urn:xmpp:sasl:2'))
    t.match(login?.attrs.mechanism, /^SCRAM-/, 'its strongest mechanism (XEP-0388 §2.6.2)')
    const success = await device.gets((node) => node.is('success', 'urn:xmpp:sasl:2'))
    t.ok(success.getChild('bound', 'urn:xmpp:bind:0'), 'bound in the same round (XEP-0386)')
    t.ok(success.getChild('token', 'urn:xmpp:fast:0'), 'a token for the next time (XEP-0484 §3.3)')
    await device.xmpp.send(xml('presence'))
  }

  await romeo.xmpp.send(xml('presence', { to: 'juliet@localhost', type: 'subscribe' }))
  await juliet.gets((node) => node.is('presence') && node.attrs.type === 'subscribe')
  await juliet.xmpp.send(xml('presence', { to: 'romeo@localhost', type: 'subscribed' }))
  await juliet.xmpp.send(xml('presence', { to: 'romeo@localhost', type: 'subscribe' }))
  await romeo.gets((node) => node.is('presence') && node.attrs.type === 'subscribed')
  const seen = await romeo.gets(
    (node) => node.is('presence') && !node.attrs.type && /^juliet/.test(node.attrs.from ?? ''),
  )
  t.match(seen.attrs.from, /^juliet@localhost\//, 'Romeo sees that Juliet is there')

  await romeo.xmpp.send(
    xml(
      'message',
      { to: 'juliet@localhost', type: 'chat' },
      xml('body', {}, 'Lady, by yonder blessed moon I vow — 🌙'),
    ),
  )
  const message = await juliet.gets((node) => node.is('message'))
  t.equal(message.getChildText('body'), 'Lady, by yonder blessed moon I vow — 🌙')

  await juliet.xmpp.stop()
  juliet.forget()
  await juliet.xmpp.start()
  const again = juliet.sent.find((node) => node.is('authenticate', 'urn:xmpp:sasl:2'))
  t.equal(again?.attrs.mechanism, 'HT-SHA-256-NONE', 'no password the second time (XEP-0484 §3.4)')
  await juliet.gets((node) => node.is('success', 'urn:xmpp:sasl:2'))
})
