// `<resume/>` (XEP-0198 §5): a session of this node goes on with another stream; one of another life, on
// whatever node, is made again from what is on disk when that life has let it go, or is over. Only the account that began a session resumes it; of
// anybody else's it is not even told that it is there (SEC-26). Where going on would not be honest the
// answer is the exact count. What only reads is asked again for some seconds where the database does not
// answer: who waits a little is resumed.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { ClientStream } from '../../lib/streams/client-stream.js'
import { askAgain } from '../../lib/storage/asking-again.js'
import type { NegotiatingStream } from '../../lib/streams/negotiation.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError, StreamError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { readCount } from './counts.js'
import { Elsewhere } from './elsewhere.js'
import { numberIn } from './enabling.js'
import type { ManagedSession } from './managed-session.js'
import { refusal } from './refusal.js'
import type { Registry } from './registry.js'
import type { Restoring } from './restoring.js'
import type { StoredSession } from './store.js'
import { failed, resumed, tooHigh } from './wording.js'

/** How often somebody else may be faster */
const MOST_OWNERS = 8

export interface Answer {
  readonly element: Element
  /** When the answer is written: what the client has missed follows. */
  begin?(): void
}

export class Resumption {
  readonly #host: Host
  readonly #registry: Registry
  readonly #restoring: Restoring
  readonly #elsewhere: Elsewhere

  constructor(host: Host, registry: Registry, restoring: Restoring) {
    this.#host = host
    this.#elsewhere = new Elsewhere(host)
    this.#registry = registry
    this.#restoring = restoring
  }

  async resume(element: Element, stream: NegotiatingStream): Promise<Answer> {
    const h = readCount(element.attrs.h)
    const previd = String(element.attrs.previd ?? '')
    if (stream.session || !stream.account) return { element: failed('unexpected-request') }
    if (h === undefined || Number.isNaN(numberIn(previd))) return { element: unknown() }
    try {
      const account = await this.#account(stream.account)
      if (!account || account.disabled) return { element: unknown() }
      const wanted = { stream, account, previd, h }
      return await this.#registry.turns.take(previd, () => this.#resume(wanted))
    } catch (error) {
      // §6: whatever goes wrong here, the client hears that it failed, and may bind.
      if (error instanceof StreamError) throw error
      const handled = this.#own(previd, stream.account)?.handled.count
      return { element: refusal(error, this.#host, handled) }
    }
  }

  #account({ local }: Jid): Promise<Account | undefined> {
    return askAgain(this.#host.clock, async () => this.#host.accounts?.lookup(local))
  }

  #find({ previd, account }: Wanted): Promise<StoredSession | undefined> {
    return askAgain(this.#host.clock, () => this.#restoring.find(previd, account))
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
      if (!(await there.stopped())) return await this.#fromDisk(wanted)
      return await this.#take(there, wanted)
    } finally {
      there.moving = false
    }
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

  /** Of another life, on whatever node, that lets it go or is over. */
  async #fromDisk(wanted: Wanted): Promise<Answer> {
    await this.#host.journal.settled()
    for (let times = 0; times < MOST_OWNERS; times++) {
      const found = await this.#find(wanted)
      if (!found) return { element: unknown() }
      const isFree = found.ended > 0 || found.life === this.#registry.life
      const answer = await (isFree ? this.#again(found, wanted) : this.#ask(found.life, wanted))
      if (answer) return answer
    }
    throw new StanzaError('resource-constraint', 'others want this session, too')
  }

  /** Undefined where it is to be asked for anew: it may live again since it was let go. */
  async #ask(life: string, wanted: Wanted): Promise<Answer | undefined> {
    const { account, previd: id, h } = wanted
    const released = await this.#elsewhere.release(life, { id, h, account: account.number })
    if (released.is === 'unknown') return { element: unknown() }
    if (released.is === 'too high') throw tooHigh(h, released.sent)
    if (released.is === 'forgotten') return { element: failed('item-not-found', released.handled) }
    // Nobody else's: that node found it by its account. Whether it is so still shows when it is claimed.
    const found = released.row ?? (await this.#find(wanted))
    if (!found) return { element: unknown() }
    const { version = found.version } = released
    const isFree = found.life === life && found.version === version
    return isFree ? this.#again(found, wanted, released.row !== undefined) : undefined
  }

  /** Undefined where somebody was faster. `justNow`: a node that lives let it go, whatever its clock says. */
  async #again(found: StoredSession, wanted: Wanted, justNow = false): Promise<Answer | undefined> {
    const { previd, account, h } = wanted
    const over = { element: failed('item-not-found', found.handled) }
    if (this.#restoring.isLost(found, h, justNow)) return over
    try {
      const claimed = await this.#restoring.claim(found)
      if (!claimed) return undefined
      const managed = await this.#restoring.restore(claimed, account, h)
      return managed ? await this.#take(managed, wanted) : over
    } catch (error) {
      if (error instanceof StreamError) throw error
      // §5: nobody writes to it any more, so the count is known.
      const handled = this.#own(previd, account.jid)?.handled.count ?? found.handled
      return { element: refusal(error, this.#host, handled) }
    }
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
