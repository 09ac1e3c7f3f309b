// From a fresh connection to a stream that is managed: SASL (RFC 6120 §6) or SASL2 with everything
// inline (XEP-0388, XEP-0386), resumption where there is something to resume (XEP-0198 §5), else
// bind and enable. Says once how it ended.

import type { Connection, Receiver } from '../../bench/generator/connection.js'
import { ScramClient, type Mechanism } from '../../bench/generator/scram.js'
import { attribute, firstTag } from './stanza-text.js'

const SASL = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
const SASL2 = "xmlns='urn:xmpp:sasl:2'"
export const SM = "xmlns='urn:xmpp:sm:3'"

export interface Credentials {
  user: string
  password: string
  resource: string
  /** SASL2, where the server offers it */
  modern: boolean
}

export interface Previous {
  id: string
  h: number
}

export interface Outcome {
  /** The server resumed the previous stream; `h` is its count. */
  resumed(h: number): void
  /** The server will not resume; its count, where it said one. */
  refused(h: number | undefined): void
  /** A stanza that came between binding and managing: nobody counts it. */
  early(stanza: string): void
  /** A new managed stream; `id` is undefined where it cannot be resumed. */
  bound(jid: string, id: string | undefined): void
  lost(why: string): void
}

export class Entrance implements Receiver {
  readonly #credentials: Credentials
  readonly #previous: Previous | undefined
  readonly #outcome: Outcome
  #connection!: Connection
  #next: (text: string) => void = (text) => this.#features(text)
  #scram: ScramClient | undefined
  #jid = ''
  /** One read may bring more after the end. */
  #over = false

  constructor(credentials: Credentials, previous: Previous | undefined, outcome: Outcome) {
    this.#credentials = credentials
    this.#previous = previous
    this.#outcome = outcome
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    this.#connection = connection
    const text = bytes.toString('latin1', start, end)
    if (this.#over) return
    if (text.startsWith('<stream:error')) connection.fail(text)
    else this.#next(text)
  }

  lost(_: Connection, why: string): void {
    this.#over = true
    this.#outcome.lost(why)
  }

  #say(element: string, next: (text: string) => void): void {
    this.#next = next
    this.#connection.write(element)
  }

  #fail(text: string): void {
    this.#connection.fail(`${this.#credentials.user} could not enter: ${text.slice(0, 300)}`)
  }

  #features(text: string): void {
    const { user, password, modern } = this.#credentials
    const mechanism = (['SCRAM-SHA-1', 'SCRAM-SHA-256'] satisfies Mechanism[]).find((name) =>
      text.includes(`>${name}<`),
    )
    if (!mechanism) {
      this.#fail(`no SCRAM in ${text}`)
      return
    }
    this.#scram = new ScramClient(mechanism, user, password)
    const first = this.#scram.first()
    if (modern && text.includes('urn:xmpp:sasl:2') && text.includes('urn:xmpp:bind:0')) {
      const inline = `<initial-response>${first}</initial-response>${this.#inline()}`
      const ask = `<authenticate ${SASL2} mechanism='${mechanism}'>${inline}</authenticate>`
      this.#say(ask, (answer) => this.#authenticate2(answer))
      return
    }
    const ask = `<auth ${SASL} mechanism='${mechanism}'>${first}</auth>`
    this.#say(ask, (answer) => this.#authenticate(answer))
  }

  #authenticate(text: string): void {
    const [, name, content] = /^<(\w+)[^>]*>([^<]*)/.exec(text) ?? []
    if (name === 'challenge') {
      this.#connection.write(`<response ${SASL}>${this.#scram!.answer(content!)}</response>`)
    } else if (name === 'success') {
      this.#next = (features) => this.#continue(features)
      this.#connection.restartStream()
    } else this.#fail(text)
  }

  /** Both are asked for; the server binds only where it does not resume (XEP-0198 §10). */
  #inline(): string {
    const bind = `<bind xmlns='urn:xmpp:bind:0'><tag>faults</tag><enable ${SM} resume='true'/></bind>`
    return `${this.#resume()}${bind}`
  }

  #resume(): string {
    if (!this.#previous) return ''
    const { id, h } = this.#previous
    return `<resume ${SM} h='${h}' previd='${id}'/>`
  }

  #authenticate2(text: string): void {
    if (text.startsWith('<challenge')) {
      const content = /^<challenge[^>]*>([^<]*)/.exec(text)![1]!
      this.#connection.write(`<response ${SASL2}>${this.#scram!.answer(content)}</response>`)
    } else if (text.startsWith('<success')) this.#entered(text)
    else this.#fail(text)
  }

  #entered(text: string): void {
    this.#jid = /<authorization-identifier>([^<]*)/.exec(text)?.[1] ?? ''
    const [resumed] = /<resumed\s[^>]*>/.exec(text) ?? []
    if (resumed) {
      this.#outcome.resumed(Number(attribute(resumed, 'h')))
      return
    }
    const [failed] = /<failed\s[^>]*urn:xmpp:sm:3[^>]*>/.exec(text) ?? []
    if (failed) this.#refused(failed)
    const [enabled] = /<enabled\s[^>]*>/.exec(text) ?? []
    if (enabled) this.#outcome.bound(this.#jid, resumable(enabled))
    else this.#fail(`neither resumed nor enabled: ${text}`)
  }

  #refused(tag: string): void {
    const h = attribute(tag, 'h')
    this.#outcome.refused(h === undefined ? undefined : Number(h))
  }

  #continue(features: string): void {
    if (!features.includes('urn:xmpp:sm:3')) {
      this.#fail(`no stream management in ${features}`)
    } else if (this.#previous) {
      this.#say(this.#resume(), (text) => this.#resumed(text))
    } else this.#bind()
  }

  #resumed(text: string): void {
    const tag = firstTag(text)
    if (tag.startsWith('<resumed')) this.#outcome.resumed(Number(attribute(tag, 'h')))
    else if (tag.startsWith('<failed')) {
      this.#refused(tag)
      this.#bind()
    } else this.#fail(text)
  }

  #bind(): void {
    const resource = `<resource>${this.#credentials.resource}</resource>`
    const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${resource}</bind>`
    this.#say(`<iq type='set' id='bind'>${bind}</iq>`, (text) => this.#bound(text))
  }

  #bound(text: string): void {
    const jid = /<jid>([^<]*)/.exec(text)?.[1]
    if (!jid) {
      this.#fail(text)
      return
    }
    this.#jid = jid
    this.#say(`<enable ${SM} resume='true'/>`, (answer) => this.#enabled(answer))
  }

  #enabled(text: string): void {
    if (/^<(message|presence|iq)/.test(text)) this.#outcome.early(text)
    else if (text.startsWith('<enabled')) this.#outcome.bound(this.#jid, resumable(firstTag(text)))
    else this.#fail(text)
  }
}

function resumable(enabled: string): string | undefined {
  const resume = attribute(enabled, 'resume')
  return resume === 'true' || resume === '1' ? attribute(enabled, 'id') : undefined
}
