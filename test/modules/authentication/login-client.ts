// A client that has not logged in: the world's stranger with a stream header of its own and the two
// profiles of SASL.

import type { TlsFacts } from '../../../lib/net/transport.js'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import { ScramClient, type ScramClientOptions } from './scram-client.js'
import { until } from '../../world/until.js'

export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'

const OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'"
const HEADER =
  "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"

export const tls: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  serverName: undefined,
  alpn: undefined,
  hasExporter: false,
  exporter: () => undefined,
  endPoint: () => undefined,
  peer: undefined,
}

export const EXPORTER = Buffer.from('exporter of this connection')
export const END_POINT = Buffer.from('hash of this certificate')
export const bindingTls: TlsFacts = {
  ...tls,
  hasExporter: true,
  exporter: () => EXPORTER,
  endPoint: () => END_POINT,
}

export interface ConnectOptions {
  tls?: TlsFacts | undefined
  from?: string
  domain?: string
  address?: string
  client?: Client
}

export class LoginClient {
  readonly client: Client
  features: Element

  private constructor(client: Client, features: Element) {
    this.client = client
    this.features = features
  }

  static async connect(world: World, options: ConnectOptions = {}): Promise<LoginClient> {
    const client = options.client ?? world.stranger()
    client.transport.tls = 'tls' in options ? options.tls : { ...tls }
    if (options.address) Object.assign(client.transport.remote, { address: options.address })
    const login = new LoginClient(client, undefined as unknown as Element)
    await login.open(options)
    return login
  }

  async open({ from, domain = DOMAIN }: ConnectOptions = {}): Promise<Element> {
    const who = from ? ` from='${from}'` : ''
    const framed = this.client.transport.framing === 'message'
    const about = `version='1.0' to='${domain}'${who}`
    this.client.sends(framed ? `${OPEN} ${about}/>` : `${HEADER} ${about}>`)
    this.features = await this.next()
    return this.features
  }

  async next(): Promise<Element> {
    // A step of a login may wait for a thread that hashes: that is a few turns, and no fixed time.
    await until(() => this.client.inbox.length > 0 || this.client.closed)
    const element = this.client.inbox.shift()
    if (!element) throw new Error(`nothing came: ${this.client.transcript.join('\n')}`)
    return element
  }

  mechanisms(): string[] {
    const list = this.features.getChild('mechanisms', NS_SASL)
    return list?.getChildren('mechanism').map((one) => one.getText()) ?? []
  }

  async says(element: string): Promise<Element> {
    this.client.sends(element)
    return this.next()
  }

  async auth(mechanism: string, initial?: Buffer | string): Promise<Element> {
    const text = Buffer.isBuffer(initial) ? initial.toString('base64') || '=' : (initial ?? '')
    return this.says(`<auth xmlns='${NS_SASL}' mechanism='${mechanism}'>${text}</auth>`)
  }

  async responds(data: Buffer | string): Promise<Element> {
    const text = Buffer.isBuffer(data) ? data.toString('base64') : data
    return this.says(`<response xmlns='${NS_SASL}'>${text}</response>`)
  }

  plain(name: string, password: string, authzid = ''): Promise<Element> {
    return this.auth('PLAIN', Buffer.from(`${authzid}\0${name}\0${password}`))
  }

  /** The last answer, and whether the server proved itself too. */
  async scram(options: ScramClientOptions): Promise<{ answer: Element; client: ScramClient }> {
    const client = new ScramClient(options)
    const challenge = await this.auth(options.mechanism, client.first())
    if (challenge.getName() !== 'challenge') return { answer: challenge, client }
    return { answer: await this.responds(client.final(data(challenge))), client }
  }
}

export function data(element: Element): Buffer {
  return Buffer.from(element.getText(), 'base64')
}

/** The condition of a failure, of either profile. */
export function condition(element: Element): string | undefined {
  if (element.getName() !== 'failure') return `no failure: ${element}`
  return element
    .getChildElements()
    .find((child) => child.getName() !== 'text')
    ?.getName()
}
