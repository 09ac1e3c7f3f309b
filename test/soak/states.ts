// Every state in which somebody may go away before they are logged in (SEC-03), as steps of a visit.

import { frame, TEXT, upgradeRequest } from '../net/websocket-client.js'
import { hears, type Leave, type Ports, secures, type Step, Visit } from './visit.js'

export const DOMAIN = 'capulet.example'

export interface State {
  readonly name: string
  readonly port: keyof Ports
  /** With TLS, a visit takes ten times as long. */
  readonly tls: boolean
  readonly steps: readonly Step[]
}

const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
const header = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='${DOMAIN}'>`
const features = hears('</stream:features>')
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const first = base64('n,,n=romeo,r=fyko+d2lbbFgONRv9qkxdawL')
const scram = `<auth xmlns='${NS_SASL}' mechanism='SCRAM-SHA-256'>${first}</auth>`
const scram2 = `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='SCRAM-SHA-256'><initial-response>${first}</initial-response></authenticate>`
const plain = (password: string): string =>
  `<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${base64(`\0romeo\0${password}`)}</auth>`
const asks = `<iq type='get' id='1'><query xmlns='jabber:iq:register'/></iq>`
const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
const message = (text: string): string => frame(Buffer.from(text), 0x80 | TEXT).toString('latin1')
const upgraded: Step[] = [upgradeRequest(), hears('\r\n\r\n')]
const open = message(
  `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' to='${DOMAIN}'/>`,
)

function state(name: string, port: keyof Ports, ...steps: Step[]): State {
  return { name, port, tls: steps.includes(secures), steps }
}

export const states: readonly State[] = [
  state('connected', 'c2s'),
  state('garbage', 'c2s', '\0\xff\x16\x03 no XML at all'),
  state('half a header', 'c2s', header.slice(0, 80)),
  state('a header, not awaited', 'c2s', header),
  state('features', 'c2s', header, features),
  state('half a stanza', 'c2s', header, features, `<iq type='get'><x>${'x'.repeat(4000)}`),
  state('a comment', 'c2s', header, features, '<!-- -->', hears('restricted-xml')),
  state('another host', 'c2s', header.replace(DOMAIN, 'nobody.example'), hears('host-unknown')),
  state('a stanza too early', 'c2s', header, features, '<message/>', hears('not-authorized')),
  state('a request too early', 'c2s', header, features, asks, hears('</iq>')),
  state('mid-SASL', 'c2s', header, features, scram, hears('</challenge>')),
  state('mid-SASL2', 'c2s', header, features, scram2, hears('</challenge>')),
  state(
    'a login that is aborted',
    'c2s',
    header,
    features,
    scram,
    hears('</challenge>'),
    `<abort xmlns='${NS_SASL}'/>`,
    hears('</failure>'),
  ),
  state('a wrong password', 'c2s', header, features, plain('guess'), hears('</failure>')),
  state('a wrong password, not awaited', 'c2s', header, features, plain('guess')),
  state(
    'logged in, no stream',
    'c2s',
    header,
    features,
    plain('secret of romeo'),
    hears('<success'),
  ),
  state(
    'logged in, not bound',
    'c2s',
    header,
    features,
    plain('secret of romeo'),
    hears('<success'),
    header,
    features,
  ),
  state('<starttls/>, not awaited', 'c2s', header, features, starttls),
  state(
    '<starttls/>, then garbage',
    'c2s',
    header,
    features,
    starttls,
    hears('<proceed'),
    'no TLS at all',
  ),
  state('half a TLS handshake', 'c2sTls', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  state('STARTTLS finished', 'c2s', header, features, starttls, hears('<proceed'), secures),
  state(
    'STARTTLS, mid-SASL',
    'c2s',
    header,
    features,
    starttls,
    hears('<proceed'),
    secures,
    header,
    features,
    scram,
    hears('</challenge>'),
  ),
  state('direct TLS finished', 'c2sTls', secures),
  state('half an HTTP request', 'http', 'GET /xmpp HTTP/1.1\r\nHost: localhost\r\n'),
  state('HTTP garbage', 'http', '\0\xff\x16\x03 no HTTP at all\r\n\r\n'),
  state('a WebSocket', 'http', ...upgraded),
  state(
    'half a frame',
    'http',
    ...upgraded,
    frame(Buffer.from('<open xmlns='), TEXT).toString('latin1'),
  ),
  state('half the bytes of a frame', 'http', ...upgraded, open.slice(0, 40)),
  state('a WebSocket with garbage', 'http', ...upgraded, '\xff\xff\xff\xff\xff\xff\xff\xff'),
  state('a WebSocket with features', 'http', ...upgraded, open, features),
  state(
    'a WebSocket mid-SASL',
    'http',
    ...upgraded,
    open,
    features,
    message(scram),
    hears('</challenge>'),
  ),
  state(
    'a WebSocket mid-SASL2',
    'http',
    ...upgraded,
    open,
    features,
    message(scram2),
    hears('</challenge>'),
  ),
  state(
    'a WebSocket that closes',
    'http',
    ...upgraded,
    open,
    features,
    frame(Buffer.from([3, 232]), 0x88).toString('latin1'),
  ),
  state('HTTPS finished', 'https', secures),
  state('a secure WebSocket', 'https', secures, ...upgraded, open, features),
]

/** So many visits in one state, a number of them at a time. */
export async function cycles(
  state: State,
  { ports, count, atOnce = 32 }: { ports: Ports; count: number; atOnce?: number },
): Promise<void> {
  let next = 0
  const visitor = async (): Promise<void> => {
    while (next < count) {
      const number = next++
      await cycle(state, { ports, number, leave: number % 2 ? 'reset' : 'end' })
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, visitor))
}

async function cycle(
  { port, steps }: State,
  { ports, number, leave }: { ports: Ports; number: number; leave: Leave },
): Promise<void> {
  const visit = await Visit.to(ports[port], number)
  for (const step of steps) await visit.takes(step)
  await visit.leaves(leave)
}
