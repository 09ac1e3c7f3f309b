// SASL2 (XEP-0388) and Bind 2 (XEP-0386) over a whole server without a socket.

import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { xml } from '../../../lib/xmpp/element.js'
import authentication from '../../../modules/authentication/authentication.js'
import { world } from '../../world/world.js'
import { bindingTls, condition, data, LoginClient } from './login-client.js'
import {
  additional,
  authenticate,
  identity,
  NS_SASL2,
  response,
  romeo,
  scram2,
} from './sasl2-client.js'
import { ScramClient } from './scram-client.js'

const here = { modules: ['authentication'], loggedIn: false } as const
const BIND2 = "<bind xmlns='urn:xmpp:bind:0'><tag>Veil</tag></bind>"

test('features list mechanisms strongest first, bindings, and what can be asked for inline (XEP-0388 §2.1, XEP-0440 §2)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w, { tls: { ...bindingTls } })
  const list = login.features.getChild('authentication', NS_SASL2)!
  t.same(
    list.getChildren('mechanism').map((one) => one.getText()),
    [
      'SCRAM-SHA-512-PLUS',
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA-1-PLUS',
      'SCRAM-SHA-512',
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      'PLAIN',
    ],
  )
  const inline = list.getChild('inline')!
  t.ok(inline.getChild('bind', 'urn:xmpp:bind:0')?.getChild('inline'), 'even when it is empty')
  const fast = inline.getChild('fast', 'urn:xmpp:fast:0')!
  t.same(
    fast.getChildren('mechanism').map((one) => one.getText()),
    ['HT-SHA-256-EXPR', 'HT-SHA-256-ENDP', 'HT-SHA-256-NONE'],
  )
  const bindings = login.features.getChild('sasl-channel-binding', 'urn:xmpp:sasl-cb:0')!
  t.same(
    bindings.getChildren('channel-binding').map((one) => one.attrs.type),
    ['tls-exporter', 'tls-server-end-point'],
  )
})

test('nothing is offered in clear where TLS is required (XEP-0388 §3)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w, { tls: undefined })
  t.notOk(login.features.getChild('authentication', NS_SASL2))
  t.same(login.mechanisms(), [])
})

test('a login ends in success and features, on the same stream (XEP-0388 §2.6.1)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const { answer, client } = await scram2(login, romeo)
  t.ok(answer.is('success', NS_SASL2))
  t.equal(identity(answer), 'romeo@capulet.example')
  t.ok(client.accepts(additional(answer)))
  const features = await login.next()
  t.equal(features.getName(), 'features')
  t.ok(features.getChild('bind'), 'and a resource can be bound as ever')
  t.notOk(features.getChild('authentication', NS_SASL2))
  const bound = await login.says(
    "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
  )
  t.equal(bound.attrs.type, 'result')
})

test('without an initial response the server asks for it (XEP-0388 §2.2)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const empty = await login.says(authenticate('SCRAM-SHA-256'))
  t.ok(empty.is('challenge', NS_SASL2))
  t.equal(empty.getText(), '')
  const client = new ScramClient(romeo)
  const challenge = await login.says(response(client.first()))
  t.ok((await login.says(response(client.final(data(challenge))))).is('success', NS_SASL2))
})

test('line breaks around the data are no failure, but those inside it are (XEP-0388 §2.2)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const plain = Buffer.from('\0romeo\0secret of romeo').toString('base64')
  const request = (text: string): string =>
    `<authenticate xmlns='${NS_SASL2}' mechanism='PLAIN'><initial-response>${text}</initial-response></authenticate>`
  const broken = await login.says(request(`${plain.slice(0, 8)}\n${plain.slice(8)}`))
  t.equal(condition(broken), 'incorrect-encoding')
  t.equal(broken.getChildElements()[0]?.getNS(), 'urn:ietf:params:xml:ns:xmpp-sasl')
  t.ok((await login.says(request(`\n    ${plain}\n  `))).is('success', NS_SASL2))
})

test('Bind 2 binds the tag with a random part before success, and features follow (XEP-0386 §3.2)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const { answer } = await scram2(login, romeo, { inside: BIND2 })
  t.match(identity(answer), /^romeo@capulet\.example\/Veil\/[\w-]{12}$/)
  t.ok(answer.getChild('bound', 'urn:xmpp:bind:0'))
  const features = await login.next()
  t.equal(features.getName(), 'features')
  t.notOk(features.getChild('bind'), 'nothing is left to bind')
  const sessions = w.server.hosts.get('capulet.example')!.sessions
  t.equal([...sessions.all()].length, 1)
})

test('a tag that cannot be in a resource is left out (XEP-0386 §3.2.1)', async (t) => {
  const w = await world(t, here)
  for (const tag of ['\u202eevil', 'x'.repeat(1100), '']) {
    const login = await LoginClient.connect(w)
    const inside = `<bind xmlns='urn:xmpp:bind:0'><tag>${tag}</tag></bind>`
    const { answer } = await scram2(login, romeo, { inside, agent: null })
    t.match(identity(answer), /^romeo@capulet\.example\/[\w-]{12}$/)
  }
})

test('an earlier session of the same installation ends, those of others stay (XEP-0386 §3.2)', async (t) => {
  const w = await world(t, here)
  const other = '00000000-0000-4000-8000-000000000001'
  const bound = async (agent: string | null): Promise<LoginClient> => {
    const login = await LoginClient.connect(w)
    const { answer } = await scram2(login, romeo, { inside: BIND2, agent })
    t.ok(answer.getChild('bound'))
    return login
  }
  const [first, second, nameless] = [await bound(other), await bound(null), await bound(null)]
  await bound(other.toUpperCase())
  t.ok(first.client.streamError?.getChild('conflict'))
  t.notOk(second.client.closed)
  t.notOk(nameless.client.closed)
})

test('the id of an installation shows nowhere (XEP-0388 §2.3)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const { answer } = await scram2(login, romeo, { inside: BIND2 })
  t.notMatch(answer.toString(), /d4565fa7|Veil<\/software/)
})

const extended = defineModule({
  name: 'extended',
  summary: 'Something to ask for in a login',
  requires: [authentication],
  setup(host) {
    const api = host.use(authentication)
    const undo = [
      api.inlineLogin({
        xmlns: 'urn:example:resume',
        advertise: () => xml('resume', 'urn:example:resume'),
        answer: ({ elements, account }) => ({
          element: xml('failed', {
            xmlns: 'urn:example:resume',
            asked: String(elements.length),
            by: account.jid.local,
          }),
        }),
      }),
      api.inlineBind({
        xmlns: 'urn:example:copies',
        feature: 'urn:example:copies',
        answer: async ({ elements, session }) =>
          elements.length > 0
            ? { element: xml('enabled', { xmlns: 'urn:example:copies', of: session.jid.resource }) }
            : undefined,
      }),
      api.inlineBind({
        xmlns: 'urn:example:facts',
        answer: ({ stream }) => ({
          element: xml('facts', 'urn:example:facts'),
          afterwards: () => stream.send(xml('afterwards', 'urn:example:facts')),
        }),
      }),
    ]
    return {
      close() {
        for (const call of undo) call()
      },
    }
  },
})

test('modules add what can be asked for in a login and in its bind', async (t) => {
  const w = await world(t, { modules: ['authentication', extended], loggedIn: false })
  const login = await LoginClient.connect(w)
  const inline = login.features.getChild('authentication', NS_SASL2)!.getChild('inline')!
  t.ok(inline.getChild('resume', 'urn:example:resume'))
  const listed = inline.getChild('bind')?.getChild('inline')?.getChildren('feature')
  t.same(
    listed?.map((feature) => feature.attrs.var),
    ['urn:example:copies'],
  )
  const inside =
    "<resume xmlns='urn:example:resume'/><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:example:copies'/></bind>"
  const { answer } = await scram2(login, romeo, { inside })
  t.same(answer.getChild('failed', 'urn:example:resume')?.attrs.by, 'romeo')
  const bound = answer.getChild('bound')!
  t.equal(bound.getChild('enabled')?.attrs.of, identity(answer)?.split('/')[1])
  t.ok(bound.getChild('facts'), 'what is there anyway')
  t.equal((await login.next()).getName(), 'features')
  t.equal((await login.next()).getName(), 'afterwards', 'after the features')
})

test('what a client asked for is not done when its login fails (XEP-0388 §2.6.2)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  const { answer } = await scram2(login, { ...romeo, password: 'guess' }, { inside: BIND2 })
  t.equal(condition(answer), 'not-authorized')
  t.equal([...w.server.hosts.get('capulet.example')!.sessions.all()].length, 0)
})

test('a client may give up at any time and try again (XEP-0388 §4.5)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  await login.says(authenticate('SCRAM-SHA-256', { initial: new ScramClient(romeo).first() }))
  const answer = await login.says(`<abort xmlns='${NS_SASL2}'><text>no</text></abort>`)
  t.equal(condition(answer), 'aborted')
  t.ok((await scram2(login, romeo)).answer.is('success', NS_SASL2))
})

test('anything else during a login ends the stream (XEP-0388 §2.4)', async (t) => {
  const w = await world(t, here)
  const others = [
    authenticate('PLAIN'),
    '<presence/>',
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
  ]
  for (const other of others) {
    const login = await LoginClient.connect(w)
    await login.says(authenticate('SCRAM-SHA-256', { initial: new ScramClient(romeo).first() }))
    login.client.sends(other)
    await login.client.settle()
    t.ok(login.client.closed, other)
  }
})

test('a second login on the same stream is its end (XEP-0388 §4.8)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  await scram2(login, romeo)
  await login.next()
  login.client.sends(authenticate('SCRAM-SHA-256'))
  await login.client.settle()
  t.ok(login.client.streamError)
})

test('a stream that ends in the middle of a login leaves nothing behind (SEC-03)', async (t) => {
  const w = await world(t, here)
  const login = await LoginClient.connect(w)
  login.client.sends(
    authenticate('PLAIN', { initial: Buffer.from('\0romeo\0secret of romeo'), inside: BIND2 }),
  )
  login.client.transport.cut()
  for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
  await w.settle()
  t.equal([...w.server.hosts.get('capulet.example')!.sessions.all()].length, 0)
})

test('over WebSocket it is the same, in both profiles (RFC 7395 §3.3)', async (t) => {
  const w = await world(t, here)
  const first = await LoginClient.connect(w, { client: w.stranger({ framing: 'message' }) })
  const { answer } = await scram2(first, romeo, { inside: BIND2 })
  t.ok(answer.getChild('bound'))
  t.equal((await first.next()).getName(), 'features')
  const second = await LoginClient.connect(w, { client: w.stranger({ framing: 'message' }) })
  t.equal((await second.scram(romeo)).answer.getName(), 'success')
  t.ok((await second.open()).getChild('bind'), 'a new <open/> after SASL')
})
