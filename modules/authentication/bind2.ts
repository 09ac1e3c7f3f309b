// Bind 2 (XEP-0386): a resource and what belongs to a session, bound within the login. The resource
// is the client's tag and a random part. An earlier session of the same installation ends.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { BoundSession } from '../../lib/streams/surroundings.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError, StreamError } from '../../lib/xmpp/errors.js'
import { asked, type Inline, type InlineAnswer } from './inline.js'
import { factsOf } from './login-facts.js'
import type { UserAgent } from './user-agent.js'

export const NS_BIND2 = 'urn:xmpp:bind:0'

const RANDOM_PART = 12

export interface Bound {
  readonly session: BoundSession
  readonly element: Element
  readonly afterwards: readonly (() => void)[]
}

export class Bind2 {
  readonly #host: Host
  readonly #inline: Inline

  constructor(host: Host, inline: Inline) {
    this.#host = host
    this.#inline = inline
  }

  /** The inner <inline/> is there even when it is empty: there are clients that read it unchecked. */
  advertise(): Element {
    const features = [...this.#inline.binds].flatMap(({ feature }) =>
      feature === undefined ? [] : [xml('feature', { var: feature })],
    )
    return xml('bind', NS_BIND2, xml('inline', {}, ...features))
  }

  async bind(
    stream: NegotiatingStream,
    request: Element,
    { account, userAgent }: { account: Account; userAgent: UserAgent },
  ): Promise<Bound> {
    const session = await this.#session(stream, this.#resource(request, account))
    this.#endEarlier(session, userAgent)
    const answers: InlineAnswer[] = []
    for (const extension of this.#inline.binds) {
      const elements = asked(request, extension.xmlns)
      const answer = await extension.answer({ stream, session, elements })
      if (answer) answers.push(answer)
    }
    return {
      session,
      element: xml('bound', NS_BIND2, ...answers.map(({ element }) => element)),
      afterwards: answers.flatMap(({ afterwards }) => afterwards ?? []),
    }
  }

  async #session(stream: NegotiatingStream, resource: string): Promise<BoundSession> {
    try {
      return await stream.bind(resource)
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error
      // There is no other answer: the login succeeded, and Bind 2 knows no failure.
      throw new StreamError('resource-constraint', error.text)
    }
  }

  /** XEP-0386 §3.2.1; a tag that cannot be part of a resource is left out. */
  #resource(request: Element, { jid }: Account): string {
    const random = this.#host.random.id().slice(0, RANDOM_PART)
    const tag = request.getChildText('tag')
    if (!tag) return random
    const wanted = `${tag}/${random}`
    try {
      return jid.withResource(wanted).resource
    } catch {
      return random
    }
  }

  #endEarlier(session: BoundSession, { id }: UserAgent): void {
    if (id === undefined) return
    for (const other of this.#host.sessions.of(session.jid.bare)) {
      if (other === session || factsOf(other.memo)?.userAgent.id !== id) continue
      other.close(new StreamError('conflict', 'this client logged in again'))
    }
  }
}
