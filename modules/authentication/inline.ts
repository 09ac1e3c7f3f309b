// What a login may bring along (XEP-0388 §2.6, XEP-0386): modules say here what a client may ask for
// inside <authenticate/> and inside its <bind/>. Everything asked for is done before <success/>, and
// the answers are in it.

import type { Account } from '../../lib/core/module.js'
import type { BoundSession } from '../../lib/streams/surroundings.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import { type Element, elements } from '../../lib/xmpp/element.js'
import type { Later } from './outcome.js'
import type { UserAgent } from './user-agent.js'

export interface InlineAnswer {
  /** Goes into <success/>, or into <bound/> */
  readonly element?: Element
  /** When success and features are sent: stanzas to send again, and the like. */
  afterwards?(): void
}

export interface LoginRequest {
  readonly stream: NegotiatingStream
  readonly account: Account
  readonly userAgent: UserAgent
  /** The elements of this extension's namespace that the client sent; perhaps none */
  readonly elements: readonly Element[]
}

/** A stream feature that can be asked for in <authenticate/>; a resumption makes binding superfluous. */
export interface InlineLogin {
  readonly xmlns: string
  /** Its place in <inline/>, or undefined while it is not to be had. */
  advertise(stream: NegotiatingStream): Element | undefined
  /** Called for each login that asks for it, before a resource is bound. */
  answer(request: LoginRequest): Later<InlineAnswer | undefined>
}

export interface BindRequest {
  readonly stream: NegotiatingStream
  readonly session: BoundSession
  readonly elements: readonly Element[]
}

/** A feature of a session that can be asked for in <bind/>. */
export interface InlineBind {
  readonly xmlns: string
  /** What <inline/> lists, where it is something to ask for */
  readonly feature?: string
  /** Called for each Bind 2, asked for or not: what is there anyway needs no asking. */
  answer(request: BindRequest): Later<InlineAnswer | undefined>
}

/** What modules that require this one get. Each call gives back what undoes it, for `close`. */
export interface AuthenticationApi {
  inlineLogin(extension: InlineLogin): () => void
  inlineBind(extension: InlineBind): () => void
}

export class Inline implements AuthenticationApi {
  readonly logins = new Set<InlineLogin>()
  readonly binds = new Set<InlineBind>()

  inlineLogin(extension: InlineLogin): () => void {
    this.logins.add(extension)
    return () => this.logins.delete(extension)
  }

  inlineBind(extension: InlineBind): () => void {
    this.binds.add(extension)
    return () => this.binds.delete(extension)
  }
}

/** The children of one namespace. */
export function asked(parent: Element, xmlns: string): Element[] {
  return elements(parent).filter((child) => child.getNS() === xmlns)
}
