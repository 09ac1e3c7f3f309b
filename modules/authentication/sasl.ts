// SASL as RFC 6120 §6 puts it into XML: <mechanisms/>, <auth/>, <challenge/>, <response/>, <abort/>,
// <success/>, <failure/>. A login is followed by a new stream.

import { type Element, xml } from '../../lib/xmpp/element.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { NS_SASL } from '../../lib/xmpp/namespaces.js'
import type { NegotiatingStream, StreamFeature } from '../../lib/streams/negotiation.js'
import type { Attempt, Logins } from './login.js'
import { leaveFacts } from './login-facts.js'
import type { Offer } from './mechanism.js'
import { type Failure, failure, type Outcome, type Success } from './outcome.js'
import { decode64 } from './scram-messages.js'

const offerKey = Symbol('sasl offer')
const NOTHING = Buffer.alloc(0)

export function sasl(logins: Logins): StreamFeature {
  return new Sasl(logins)
}

class Sasl implements StreamFeature {
  readonly name = 'sasl'
  readonly accepts = ['auth', 'response', 'abort'].map((name) => `{${NS_SASL}}${name}`)
  readonly #logins: Logins

  constructor(logins: Logins) {
    this.#logins = logins
  }

  advertise(stream: NegotiatingStream): Element | undefined {
    if (stream.account || !stream.secured) return undefined
    const offer = this.#logins.offer(stream)
    stream.memo.set(offerKey, offer)
    const names = offer.mechanisms.map((name) => xml('mechanism', {}, name))
    return names.length > 0 ? xml('mechanisms', NS_SASL, ...names) : undefined
  }

  negotiate(element: Element, stream: NegotiatingStream): void | Promise<void> {
    if (stream.account) throw new StreamError('policy-violation', 'this stream is logged in')
    switch (element.getName()) {
      case 'auth':
        return this.#auth(element, stream)
      case 'response':
        return this.#response(element, stream)
      default:
        return this.#fail(stream, failure('aborted'))
    }
  }

  closed(stream: NegotiatingStream): void {
    this.#logins.closed(stream)
  }

  #auth(element: Element, stream: NegotiatingStream): void | Promise<void> {
    if (this.#logins.attempt(stream)) return this.#fail(stream, failure('malformed-request'))
    const offered = stream.memo.get(offerKey) as Offer | undefined
    const name: string | undefined = element.attrs.mechanism
    const attempt = offered
      ? this.#logins.begin(stream, { name, profile: 'sasl', offered })
      : failure('invalid-mechanism')
    if ('kind' in attempt) return this.#fail(stream, attempt)
    const text = element.getText()
    // RFC 6120 §6.4.2: nothing is no initial response, `=` is an empty one.
    if (text === '' && !attempt.mechanism.mayOmitFirst) {
      return void stream.send(xml('challenge', NS_SASL))
    }
    return this.#step(stream, attempt, text)
  }

  #response(element: Element, stream: NegotiatingStream): void | Promise<void> {
    const attempt = this.#logins.attempt(stream)
    if (attempt?.profile !== 'sasl') return this.#fail(stream, failure('malformed-request'))
    return this.#step(stream, attempt, element.getText())
  }

  #step(stream: NegotiatingStream, attempt: Attempt, text: string): void | Promise<void> {
    const data = text === '=' ? NOTHING : decode64(text)
    if (!data) return this.#fail(stream, failure('incorrect-encoding'))
    const outcome = this.#logins.step(stream, attempt, data)
    if (!(outcome instanceof Promise)) return this.#answer(stream, attempt, outcome)
    return outcome.then((found) => {
      if (!attempt.over) this.#answer(stream, attempt, found)
    })
  }

  #answer(stream: NegotiatingStream, attempt: Attempt, outcome: Outcome): void {
    if (outcome.kind === 'failure') this.#fail(stream, outcome)
    else if (outcome.kind === 'success') this.#succeed(stream, attempt, outcome)
    else stream.send(xml('challenge', NS_SASL, outcome.data.toString('base64')))
  }

  #succeed(stream: NegotiatingStream, attempt: Attempt, { account, data }: Success): void {
    this.#logins.end(stream)
    leaveFacts(stream.memo, { mechanism: attempt.mechanism.name, userAgent: {} })
    // RFC 6120 §6.4.6: success data that is empty is `=`; none at all is nothing.
    stream.send(xml('success', NS_SASL, data && (data.toString('base64') || '=')))
    stream.authenticated(account.jid, 'restart')
  }

  #fail(stream: NegotiatingStream, { condition, text, guess }: Failure): void {
    this.#logins.end(stream)
    const reason = text === undefined ? undefined : xml('text', { 'xml:lang': 'en' }, text)
    stream.send(xml('failure', NS_SASL, xml(condition), reason))
    stream.loginFailed(guess === true)
  }
}
