// SASL2 (XEP-0388): a login in one round trip or two, with whatever else the client asks for in it,
// and without a new stream. The stream's account is set when all tasks are done, and the client
// hears of everything in one <success/>.

import { type Element, xml } from '../../lib/xmpp/element.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { NS_SASL } from '../../lib/xmpp/namespaces.js'
import type { NegotiatingStream, StreamFeature } from '../../lib/streams/negotiation.js'
import { type Bind2, NS_BIND2 } from './bind2.js'
import type { Fast } from './fast.js'
import type { TokenLogin } from './hashed-token.js'
import { asked, type Inline, type InlineAnswer } from './inline.js'
import type { Attempt, Logins } from './login.js'
import { leaveFacts } from './login-facts.js'
import type { Offer } from './mechanism.js'
import { type Failure, failure, type Outcome, type Success } from './outcome.js'
import { decode64 } from './scram-messages.js'
import { NS_UPGRADE, Upgrade, upgradesFor } from './upgrade.js'
import { readUserAgent, type UserAgent } from './user-agent.js'

export const NS_SASL2 = 'urn:xmpp:sasl:2'

/** One <authenticate/> and what has become of it. */
interface Login {
  readonly request: Element
  readonly userAgent: UserAgent
  readonly attempt: Attempt
  readonly token: TokenLogin | undefined
  /** Set once the mechanism is through and only tasks are left */
  success?: Success
  /** Tasks that are still to be done, the first of them under way */
  tasks: Upgrade[]
  asking: boolean
}

const offerKey = Symbol('sasl2 offer')
const loginKey = Symbol('sasl2 login')

export interface Sasl2Parts {
  readonly logins: Logins
  readonly inline: Inline
  readonly bind2: Bind2
  readonly fast: Fast
}

export class Sasl2 implements StreamFeature {
  readonly name = 'sasl2'
  readonly accepts = ['authenticate', 'response', 'abort', 'next', 'task-data'].map(
    (name) => `{${NS_SASL2}}${name}`,
  )
  readonly #parts: Sasl2Parts

  constructor(parts: Sasl2Parts) {
    this.#parts = parts
  }

  advertise(stream: NegotiatingStream): Element | undefined {
    if (stream.account || !stream.secured) return undefined
    const { logins, bind2, fast, inline } = this.#parts
    const offer = logins.offer(stream)
    stream.memo.set(offerKey, offer)
    if (offer.mechanisms.length === 0) return undefined
    const others = [...inline.logins].map((extension) => extension.advertise(stream))
    return xml(
      'authentication',
      NS_SASL2,
      ...offer.mechanisms.map((name) => xml('mechanism', {}, name)),
      xml('inline', {}, bind2.advertise(), fast.advertise(stream), ...others),
      ...this.#upgrades(stream).map((task) => xml('upgrade', NS_UPGRADE, task)),
    )
  }

  #upgrades(stream: NegotiatingStream): string[] {
    const { logins } = this.#parts
    const local = logins.claimed(stream)?.local
    return local === undefined ? [] : upgradesFor(logins.accounts.passwords, local)
  }

  negotiate(element: Element, stream: NegotiatingStream): void | Promise<void> {
    // XEP-0388 §4.8: a second one is the end of the stream.
    if (stream.account) throw new StreamError('policy-violation', 'this stream is logged in')
    const login = stream.memo.get(loginKey) as Login | undefined
    const name = element.getName()
    if (name === 'abort') return this.#fail(stream, failure('aborted'))
    if (name === 'authenticate') {
      if (login) throw new StreamError('policy-violation', 'a login is under way')
      return this.#authenticate(element, stream)
    }
    if (!login) return this.#fail(stream, failure('malformed-request'))
    if (name === 'response') return this.#response(element, stream, login)
    return this.#task(element, stream, login)
  }

  closed(stream: NegotiatingStream): void {
    stream.memo.delete(loginKey)
    this.#parts.logins.end(stream)
  }

  // The mechanism

  #authenticate(request: Element, stream: NegotiatingStream): void | Promise<void> {
    const login = this.#login(request, stream)
    if ('kind' in login) return this.#fail(stream, login)
    stream.memo.set(loginKey, login)
    const initial = request.getChild('initial-response', NS_SASL2)
    if (!initial && !login.attempt.mechanism.mayOmitFirst) {
      return void stream.send(xml('challenge', NS_SASL2))
    }
    return this.#step(stream, login, initial?.getText() ?? '')
  }

  #login(request: Element, stream: NegotiatingStream): Login | Failure {
    const { logins, fast } = this.#parts
    const offered = stream.memo.get(offerKey) as Offer | undefined
    if (!offered) return failure('invalid-mechanism')
    const name = String(request.attrs.mechanism ?? '')
    const userAgent = readUserAgent(request.getChild('user-agent', NS_SASL2))
    const token = fast.mechanism(name, { element: request, stream, userAgent })
    const attempt = token
      ? logins.take(stream, { mechanism: token.mechanism, profile: 'sasl2', offered })
      : logins.begin(stream, { name, profile: 'sasl2', offered })
    if ('kind' in attempt) return attempt
    return { request, userAgent, attempt, token: token?.login, tasks: [], asking: false }
  }

  #response(element: Element, stream: NegotiatingStream, login: Login): void | Promise<void> {
    if (login.success) return this.#fail(stream, failure('malformed-request'))
    return this.#step(stream, login, element.getText())
  }

  #step(stream: NegotiatingStream, login: Login, text: string): void | Promise<void> {
    // The examples of XEP-0388 break lines around the data.
    const data = decode64(text.trim())
    if (!data) return this.#fail(stream, failure('incorrect-encoding'))
    const outcome = this.#parts.logins.step(stream, login.attempt, data)
    if (!(outcome instanceof Promise)) return this.#answer(stream, login, outcome)
    return outcome.then((found) => {
      if (!login.attempt.over) return this.#answer(stream, login, found)
    })
  }

  #answer(stream: NegotiatingStream, login: Login, outcome: Outcome): void | Promise<void> {
    if (outcome.kind === 'failure') return this.#fail(stream, outcome)
    if (outcome.kind === 'challenge') {
      return void stream.send(xml('challenge', NS_SASL2, outcome.data.toString('base64')))
    }
    login.success = outcome
    login.tasks = this.#tasksOf(login, outcome)
    if (login.tasks.length > 0) return void this.#askTask(stream, login, outcome.data)
    return this.#succeed(stream, login, outcome)
  }

  // Tasks (XEP-0480)

  /** Only whoever has just proved the password may add a form of it. */
  #tasksOf({ request }: Login, { account, proved }: Success): Upgrade[] {
    if (!proved) return []
    const { host, accounts } = this.#parts.logins
    const possible = upgradesFor(accounts.passwords, account.jid.local)
    const wanted = asked(request, NS_UPGRADE).map((element) => element.getText().trim())
    const surroundings = { random: host.random, iterations: host.settings.passwordRounds }
    return possible
      .filter((task) => wanted.includes(task))
      .map((task) => new Upgrade(task, surroundings))
  }

  #askTask(stream: NegotiatingStream, login: Login, data?: Buffer): void {
    const tasks = xml('tasks', {}, xml('task', {}, login.tasks[0]?.task))
    login.asking = true
    stream.send(xml('continue', NS_SASL2, additional(data), tasks))
  }

  #task(element: Element, stream: NegotiatingStream, login: Login): void | Promise<void> {
    const [task] = login.tasks
    if (!task || !login.success) return this.#fail(stream, failure('malformed-request'))
    const isNext = element.is('next')
    if (isNext !== login.asking || (isNext && element.attrs.task !== task.task)) {
      return this.#fail(stream, failure('malformed-request'))
    }
    login.asking = false
    if (isNext) return void stream.send(xml('task-data', NS_SASL2, task.question()))
    return this.#completeTask(element, stream, { login, task, success: login.success })
  }

  async #completeTask(
    element: Element,
    stream: NegotiatingStream,
    { login, task, success }: { login: Login; task: Upgrade; success: Success },
  ): Promise<void> {
    const { passwords } = this.#parts.logins.accounts
    const refused = await task.complete(element, success, passwords)
    if (login.attempt.over) return
    if (refused) return this.#fail(stream, refused)
    login.tasks.shift()
    if (login.tasks.length > 0) return this.#askTask(stream, login)
    // XEP-0388 §2.6.1: what the mechanism had to add went with <continue/>.
    const { data: _sent, ...rest } = success
    return this.#succeed(stream, login, rest)
  }

  // The end

  async #succeed(stream: NegotiatingStream, login: Login, success: Success): Promise<void> {
    const { request, userAgent, attempt } = login
    const { account } = success
    this.#parts.logins.end(stream)
    leaveFacts(stream.memo, { mechanism: attempt.mechanism.name, userAgent })
    stream.authenticated(account.jid, 'later')
    const { answers: inlined, resumed } = await this.#inline(stream, login, success)
    const { fast } = this.#parts
    const token = await fast.conclude(
      { element: request, stream, userAgent, account },
      login.token?.used,
    )
    const identity = stream.session?.jid ?? account.jid
    stream.send(
      xml(
        'success',
        NS_SASL2,
        additional(success.data),
        xml('authorization-identifier', {}, identity.text),
        ...inlined.map((answer) => answer.element),
        token,
      ),
    )
    stream.memo.delete(loginKey)
    // XEP-0198 §9.2: a stream that was resumed goes on where it was, without features.
    if (!resumed) stream.offer()
    for (const { afterwards } of inlined) afterwards?.()
  }

  /** XEP-0386 §3.2: a resumption comes first, and where it succeeds nothing is bound. */
  async #inline(
    stream: NegotiatingStream,
    { request, userAgent }: Login,
    { account }: Success,
  ): Promise<{ answers: InlineAnswer[]; resumed: boolean }> {
    const answers: InlineAnswer[] = []
    for (const extension of this.#parts.inline.logins) {
      const elements = asked(request, extension.xmlns)
      if (elements.length === 0) continue
      const answer = await extension.answer({ stream, account, userAgent, elements })
      if (answer) answers.push(answer)
    }
    const bind = request.getChild('bind', NS_BIND2)
    const resumed = stream.session !== undefined
    if (!bind || resumed) return { answers, resumed }
    const bound = await this.#parts.bind2.bind(stream, bind, { account, userAgent })
    const afterwards = bound.afterwards.map((call) => ({ afterwards: call }))
    return { answers: [...answers, { element: bound.element }, ...afterwards], resumed }
  }

  #fail(stream: NegotiatingStream, { condition, text, guess }: Failure): void {
    stream.memo.delete(loginKey)
    this.#parts.logins.end(stream)
    const reason = text === undefined ? undefined : xml('text', {}, text)
    stream.send(xml('failure', NS_SASL2, xml(condition, NS_SASL), reason))
    stream.loginFailed(guess === true)
  }
}

function additional(data: Buffer | undefined): Element | undefined {
  return data && xml('additional-data', {}, data.toString('base64'))
}
