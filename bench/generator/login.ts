// From a fresh connection to a session that has its roster and is available: STARTTLS, SASL,
// bind, optionally carbons and stream management, then roster and presence at once, as clients
// do. A session counts as ready when the roster came and its own presence was reflected
// (RFC 6121 §4.2.2), so that the server's work for the login is done. A session that was cut off
// is resumed instead (XEP-0198 §5), and replaced by a new one where the server refuses.
import type { Login } from '../job.js'
import type { Connection, Receiver } from './connection.js'
import { plainResponse, ScramClient } from './scram.js'

const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
const SM = 'urn:xmpp:sm:3'

export type Ready = (connection: Connection) => void
export type Failed = (connection: Connection, why: string) => void

export type Ending = {
  ready: Ready
  failed: Failed
  resume?: { id: string; handled: number }
}

type Step = (text: string) => void

export class LoginSteps implements Receiver {
  private readonly login: Login
  private readonly ready: Ready
  private readonly failed: Failed
  private readonly user: string
  private connection!: Connection
  private next: Step = (text) => this.features(text)
  private scram: ScramClient | undefined
  private readonly resume: Ending['resume']
  private awaited = 0
  /** What arrives among the last answers and is none. */
  others: (text: string) => void = () => {}

  constructor(user: string, login: Login, outcome: Ending) {
    this.user = user
    this.login = login
    this.ready = outcome.ready
    this.failed = outcome.failed
    this.resume = outcome.resume
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    this.connection = connection
    const text = bytes.toString('latin1', start, end)
    if (text.startsWith('<stream:error')) connection.fail(text)
    else this.next(text)
  }

  lost(connection: Connection, why: string): void {
    this.failed(connection, why)
  }

  private expect(condition: boolean, text: string): boolean {
    if (!condition) this.connection.fail(`${this.user} could not log in: ${text.slice(0, 300)}`)
    return condition
  }

  private say(element: string, next: Step): void {
    this.next = next
    this.connection.write(element)
  }

  private features(text: string): void {
    const { target } = this.connection
    if (target.transport === 'starttls' && text.includes('urn:ietf:params:xml:ns:xmpp-tls')) {
      this.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", (answer) =>
        this.proceed(answer),
      )
      return
    }
    const { mechanism } = this.login
    if (!this.expect(text.includes(`>${mechanism}<`), `no ${mechanism} in ${text}`)) return
    this.say(`<auth ${SASL} mechanism='${mechanism}'>${this.firstResponse()}</auth>`, (answer) =>
      this.authenticate(answer),
    )
  }

  private proceed(text: string): void {
    if (!this.expect(text.startsWith('<proceed'), text)) return
    this.next = (features) => this.features(features)
    this.connection.upgradeToTls()
  }

  private firstResponse(): string {
    const { mechanism, password } = this.login
    if (mechanism === 'PLAIN') return plainResponse(this.user, password)
    this.scram = new ScramClient(mechanism, this.user, password)
    return this.scram.first()
  }

  private authenticate(text: string): void {
    const content = /^<(\w+)[^>]*>([^<]*)/.exec(text)
    if (content?.[1] === 'challenge' && this.scram) {
      const response = this.scram.answer(content[2] ?? '')
      this.connection.write(`<response ${SASL}>${response}</response>`)
      return
    }
    const proven = this.scram === undefined || this.scram.accepts(content?.[2] ?? '')
    if (!this.expect(content?.[1] === 'success' && proven, text)) return
    this.next = () => this.enter()
    this.connection.restartStream()
  }

  private enter(): void {
    if (this.resume === undefined) {
      this.bind()
      return
    }
    const { id, handled } = this.resume
    this.say(`<resume xmlns='${SM}' previd='${id}' h='${handled}'/>`, (text) => this.resumed(text))
  }

  private resumed(text: string): void {
    if (!text.startsWith('<resumed')) {
      this.bind()
      return
    }
    const { connection } = this
    Object.assign(connection, { managed: true, resumed: true, handled: this.resume!.handled })
    connection.resumption = this.resume!.id
    this.ready(connection)
  }

  private bind(): void {
    const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind>"
    this.say(`<iq type='set' id='bind'>${bind}</iq>`, (text) => this.bound(text))
  }

  private bound(text: string): void {
    if (!this.expect(text.includes('<jid>'), text)) return
    if (!this.login.modern) {
      this.appear()
      return
    }
    this.connection.send("<iq type='set' id='copy'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    this.awaited = 2
    this.say(`<enable xmlns='${SM}' resume='true'/>`, (answer) => this.enabled(answer))
  }

  private enabled(text: string): void {
    const wanted = text.startsWith('<enabled') || /^<iq[^>]*type=['"]result/.test(text)
    if (!this.expect(wanted, text)) return
    if (text.startsWith('<enabled')) {
      this.connection.managed = true
      this.connection.resumption = / id=['"]([^'"]*)/.exec(text)?.[1] ?? ''
    }
    if (--this.awaited === 0) this.appear()
  }

  private appear(): void {
    this.awaited = 2
    this.connection.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
    this.say('<presence/>', (text) => this.appeared(text))
  }

  private appeared(text: string): void {
    const roster = text.startsWith('<iq') && text.includes('jabber:iq:roster')
    const reflected = text.startsWith('<presence') && text.includes('/bench')
    if (!roster && !reflected) this.others(text)
    else if (--this.awaited === 0) this.ready(this.connection)
  }
}
