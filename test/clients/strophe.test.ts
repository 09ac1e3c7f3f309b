// strophe.js, a client that we did not write, over WebSocket: its strongest SCRAM, contacts, presence
// and chat with the real program.

import { test, type Test } from 'tap'
import { $iq, $msg, $pres, Strophe } from 'strophe.js'
import { WebSocket } from 'ws'
import { realServer, type RealServer } from './real-server.js'

Object.assign(globalThis, { WebSocket })

type Connection = InstanceType<typeof Strophe.Connection>

/** What the test uses of a DOM, whose types Node's lack. */
interface DomElement {
  nodeName: string
  textContent: string | null
  getAttribute(name: string): string | null
  getElementsByTagName(name: string): ArrayLike<DomElement>
}

/** Stanzas in the order they came; each is taken once. */
class Device {
  readonly connection: Connection
  #got: DomElement[] = []
  #waiting: { wanted: (stanza: DomElement) => boolean; found: (stanza: DomElement) => void }[] = []

  private constructor(connection: Connection) {
    this.connection = connection
    connection.addHandler((stanza: DomElement) => this.#came(stanza), '', '', '')
  }

  static connect(t: Test, server: RealServer, [name, password]: [string, string]): Promise<Device> {
    const connection = new Strophe.Connection(`ws://127.0.0.1:${server.http}/xmpp`)
    t.teardown(() => connection.disconnect('the end'))
    return new Promise((resolve, reject) => {
      connection.connect(`${name}@localhost`, password, (status: number) => {
        if (status === Strophe.Status.CONNECTED) resolve(new Device(connection))
        if (status === Strophe.Status.AUTHFAIL || status === Strophe.Status.CONNFAIL)
          reject(new Error(`status ${status}`))
      })
    })
  }

  takes(wanted: (stanza: DomElement) => boolean): Promise<DomElement> {
    const at = this.#got.findIndex(wanted)
    if (at >= 0) return Promise.resolve(this.#got.splice(at, 1)[0]!)
    return new Promise((found) => this.#waiting.push({ wanted, found }))
  }

  #came(stanza: DomElement): boolean {
    const waiting = this.#waiting.find(({ wanted }) => wanted(stanza))
    if (!waiting) this.#got.push(stanza)
    else {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
      waiting.found(stanza)
    }
    return true
  }
}

const presence = (type: string | null, from: string) => (stanza: DomElement) =>
  stanza.nodeName === 'presence' &&
  stanza.getAttribute('type') === type &&
  (stanza.getAttribute('from') ?? '').startsWith(from)

test('strophe.js logs in, adds a contact, sees presence and chats', async (t) => {
  const server = await realServer(t)
  await server.addUser('romeo', 'wherefore art thou')
  await server.addUser('juliet', 'what is in a name')
  const romeo = await Device.connect(t, server, ['romeo', 'wherefore art thou'])
  const juliet = await Device.connect(t, server, ['juliet', 'what is in a name'])
  t.match(
    (romeo.connection as unknown as { _sasl_mechanism: { mechname: string } })._sasl_mechanism
      .mechname,
    /^SCRAM-SHA-512/,
    'its strongest mechanism',
  )

  for (const device of [romeo, juliet]) {
    device.connection.send(
      $iq({ type: 'get', id: 'roster' }).c('query', { xmlns: 'jabber:iq:roster' }),
    )
    await device.takes(
      (stanza) => stanza.nodeName === 'iq' && stanza.getAttribute('id') === 'roster',
    )
    device.connection.send($pres())
  }
  romeo.connection.send($pres({ to: 'juliet@localhost', type: 'subscribe' }))
  await juliet.takes(presence('subscribe', 'romeo@localhost'))
  juliet.connection.send($pres({ to: 'romeo@localhost', type: 'subscribed' }))
  juliet.connection.send($pres({ to: 'romeo@localhost', type: 'subscribe' }))
  await romeo.takes(presence('subscribe', 'juliet@localhost'))
  romeo.connection.send($pres({ to: 'juliet@localhost', type: 'subscribed' }))
  await romeo.takes(presence(null, 'juliet@localhost/'))
  await juliet.takes(presence(null, 'romeo@localhost/'))

  juliet.connection.send(
    $msg({ to: 'romeo@localhost', type: 'chat' }).c('body').t('Dost thou love me? <3 & ever'),
  )
  const message = await romeo.takes((stanza) => stanza.nodeName === 'message')
  t.equal(message.getElementsByTagName('body')[0]?.textContent, 'Dost thou love me? <3 & ever')

  romeo.connection.disconnect('good night')
  await juliet.takes(presence('unavailable', 'romeo@localhost/'))
  t.pass('Juliet sees that Romeo is gone')
})

test('a wrong password is refused and says so (RFC 6120 §6.5.10)', async (t) => {
  const server = await realServer(t)
  await server.addUser('romeo', 'wherefore art thou')
  await t.rejects(Device.connect(t, server, ['romeo', 'no']), {
    message: `status ${Strophe.Status.AUTHFAIL}`,
  })
})
