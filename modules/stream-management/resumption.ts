// `<resume/>` (XEP-0198 §5): a session of this process goes on with another stream, one of an earlier
// life of it is made again from what is on disk. Only the account that began a session resumes it; of
// anybody else's it is not even told that it is there (SEC-26). Where going on would not be honest the
// answer is the exact count.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { ClientStream } from '../../lib/streams/client-stream.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { readCount } from './counts.js'
import { numberIn } from './enabling.js'
import type { ManagedSession } from './managed-session.js'
import { refusal } from './refusal.js'
import type { Registry } from './registry.js'
import type { Restoring } from './restoring.js'
import { failed, resumed } from './wording.js'

export interface Answer {
  readonly element: Element
  /** When the answer is written: what the client has missed follows. */
  begin?(): void
}

export class Resumption {
  readonly #host: Host
  readonly #registry: Registry
  readonly #restoring: Restoring
  /** Streams that want the same session take turns: the last one has it. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(host: Host, registry: Registry, restoring: Restoring) {
    this.#host = host
    this.#registry = registry
    this.#restoring = restoring
  }

  async resume(element: Element, stream: NegotiatingStream): Promise<Answer> {
    const h = readCount(element.attrs.h)
    const previd = String(element.attrs.previd ?? '')
    if (stream.session || !stream.account) return { element: failed('unexpected-request') }
    if (h === undefined || Number.isNaN(numberIn(previd))) return { element: unknown() }
    try {
      const account = await this.#host.accounts?.lookup(stream.account.local)
      if (!account || account.disabled) return { element: unknown() }
      return await this.#inTurn(previd, () => this.#resume({ stream, account, previd, h }))
    } catch (error) {
      // §6: whatever goes wrong here, the client hears that it failed, and may bind.
      if (error instanceof StreamError) throw error
      const handled = this.#own(previd, stream.account)?.handled.count
      return { element: refusal(error, this.#host, handled) }
    }
  }

  #inTurn(previd: string, run: () => Promise<Answer>): Promise<Answer> {
    const before = this.#turns.get(previd) ?? Promise.resolve()
    const turn = before.then(run, run)
    this.#turns.set(previd, turn)
    const done = (): void => {
      if (this.#turns.get(previd) === turn) this.#turns.delete(previd)
    }
    turn.then(done, done)
    return turn
  }

  #own(previd: string, account: Jid): ManagedSession | undefined {
    const there = this.#registry.find(previd)
    return there?.session.account.equals(account) ? there : undefined
  }

  async #resume(wanted: Wanted): Promise<Answer> {
    const { previd, h, account } = wanted
    if (!this.#registry.find(previd)) return this.#fromDisk(wanted)
    const there = this.#own(previd, account.jid)
    if (!there || there.terms.timeout === 0) return { element: unknown() }
    // Before the stream that it has is closed for this one.
    there.acknowledged.check(h)
    if (there.acknowledged.forgot(h))
      return { element: failed('item-not-found', there.handled.count) }
    try {
      if (!(await this.#released(there))) return await this.#fromDisk(wanted)
      return await this.#take(there, wanted)
    } finally {
      there.moving = false
    }
  }

  /** What the old stream brought is decided, and counted; whether there is a session then. */
  async #released(managed: ManagedSession): Promise<boolean> {
    const { session } = managed
    managed.moving = !session.leaving
    session.stream?.close(new StreamError('conflict', 'the stream was resumed on another one'))
    for (let busy = session.drained(); busy; busy = session.drained()) await busy
    // What could not be counted yet is not to be from here on.
    managed.countAnew()
    await this.#settled()
    return !session.closed && !session.leaving
  }

  /** Counts that are on their way to the disk. */
  #settled(): Promise<void> {
    return this.#host.journal.settled()
  }

  async #take(managed: ManagedSession, { stream, previd, h }: Wanted): Promise<Answer> {
    if (!(await managed.take(stream as ClientStream, h)))
      return { element: failed('item-not-found', managed.handled.count) }
    return {
      element: resumed(previd, managed.handled.count),
      begin: () => {
        if (managed.session.stream === stream) managed.begin()
      },
    }
  }

  async #fromDisk(wanted: Wanted): Promise<Answer> {
    await this.#settled()
    const { account, previd, h } = wanted
    const found = await this.#restoring.find(previd, account)
    if (!found) return { element: unknown() }
    const managed = await this.#restoring.restore(found, account, h)
    if (!managed) return { element: failed('item-not-found', found.handled) }
    return this.#take(managed, wanted)
  }
}

interface Wanted {
  readonly stream: NegotiatingStream
  readonly account: Account
  readonly previd: string
  readonly h: number
}

function unknown(): Element {
  return failed('item-not-found')
}
