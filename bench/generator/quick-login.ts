// The way in of the newest clients: SASL2 (XEP-0388) brings binding, carbons and stream management along
// (XEP-0386), and a token (XEP-0484), with which the next time is one message each way, resumption included.
import { createHmac, randomUUID } from 'node:crypto'
import type { Login } from '../job.js'
import type { Connection, Receiver } from './connection.js'
import type { Ending } from './login.js'
import { ScramClient } from './scram.js'

const SM = 'urn:xmpp:sm:3'
const FAST = 'urn:xmpp:fast:0'
const TOKEN_MECHANISM = 'HT-SHA-256-NONE'

/** What a session needs to come back at once. */
export type Known = Pick<Connection, 'token' | 'agent' | 'resumption' | 'handled'>

type Step = (text: string) => void

const attribute = (text: string, name: string) =>
  new RegExp(` ${name}=['"]([^'"]*)`).exec(text)?.[1] ?? ''

const agentElement = (id: string) =>
  `<user-agent id='${id}'><software>bench</software></user-agent>`

/** HMAC of the token over 'Initiator'; NONE is bound to no channel. */
function tokenResponse(user: string, token: string): string {
  const proof = createHmac('sha256', Buffer.from(token, 'utf8')).update('Initiator').digest()
  return Buffer.concat([Buffer.from(`${user}\0`), proof]).toString('base64')
}

export class QuickSteps implements Receiver {
  private readonly user: string
  private readonly login: Login
  private readonly ending: Ending
  private readonly known: Known | undefined
  private connection!: Connection
  private scram: ScramClient | undefined
  private next: Step = () => this.authenticate()
  private awaited = 2

  constructor(user: string, login: Login, ending: Ending & { known?: Known }) {
    this.user = user
    this.login = login
    this.ending = ending
    this.known = ending.known
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    this.connection = connection
    const text = bytes.toString('latin1', start, end)
    if (/^<(stream:error|failure)/.test(text)) this.fail(text)
    else this.next(text)
  }

  lost(connection: Connection, why: string): void {
    this.ending.failed(connection, why)
  }

  private fail(text: string): void {
    this.connection.fail(`${this.user} could not log in: ${text.slice(0, 300)}`)
  }

  private authenticate(): void {
    if (this.known) this.authenticateAgain(this.known)
    else this.authenticateFirst()
  }

  private say(mechanism: string, response: string, more: string): void {
    this.connection.write(
      `<authenticate xmlns='urn:xmpp:sasl:2' mechanism='${mechanism}'>` +
        `<initial-response>${response}</initial-response>${more}</authenticate>`,
    )
  }

  private authenticateFirst(): void {
    const { mechanism, password } = this.login
    this.connection.agent = randomUUID()
    this.scram = new ScramClient(mechanism, this.user, password)
    const enable = `<enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='${SM}' resume='true'/>`
    const bind = `<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag>${enable}</bind>`
    const token = `<request-token xmlns='${FAST}' mechanism='${TOKEN_MECHANISM}'/>`
    this.next = (text) => this.challenged(text)
    this.say(mechanism, this.scram.first(), agentElement(this.connection.agent) + bind + token)
  }

  private challenged(text: string): void {
    const challenge = /^<challenge[^>]*>([^<]*)/.exec(text)?.[1]
    if (challenge === undefined) {
      this.fail(text)
      return
    }
    const answer = this.scram!.answer(challenge)
    this.next = (success) => this.bound(success)
    this.connection.write(`<response xmlns='urn:xmpp:sasl:2'>${answer}</response>`)
  }

  private bound(text: string): void {
    const { connection } = this
    const token = /<token[^>]*>/.exec(text)?.[0] ?? ''
    const enabled = /<enabled[^>]*>/.exec(text)?.[0] ?? ''
    if (!text.startsWith('<success') || token === '' || enabled === '') {
      this.fail(text)
      return
    }
    connection.token = attribute(token, 'token')
    connection.resumption = attribute(enabled, 'id')
    connection.managed = true
    this.next = (later) => this.appeared(later)
    connection.send("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>")
    connection.write('<presence/>')
  }

  private appeared(text: string): void {
    const roster = text.startsWith('<iq') && text.includes('jabber:iq:roster')
    const reflected = text.startsWith('<presence') && text.includes('/bench')
    if ((roster || reflected) && --this.awaited === 0) this.ending.ready(this.connection)
  }

  private authenticateAgain({ token, agent, resumption, handled }: Known): void {
    const resume = `<resume xmlns='${SM}' previd='${resumption}' h='${handled}'/>`
    const more = `${agentElement(agent)}${resume}<fast xmlns='${FAST}'/>`
    this.next = (text) => this.back(text)
    this.say(TOKEN_MECHANISM, tokenResponse(this.user, token), more)
  }

  private back(text: string): void {
    if (!text.startsWith('<success') || !text.includes('<resumed')) {
      this.fail(text)
      return
    }
    const { token, agent, resumption, handled } = this.known!
    const known = { token, agent, resumption, handled }
    Object.assign(this.connection, known, { managed: true, resumed: true })
    this.ending.ready(this.connection)
  }
}
