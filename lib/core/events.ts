// Things that happened. Nobody can stop them, their order is undefined, a listener that fails is
// logged. A module that fires events of its own adds them to `Events` by interface merging.

import type { Jid } from '../xmpp/jid.js'
import type { Lost } from './mourning.js'
import type { Session } from './session.js'

export interface Events {
  /** A resource was bound; nothing was sent to the client yet. */
  'session:bound': { session: Session }
  /** The first available presence of a session, after it was broadcast. */
  'session:available': { session: Session }
  /** Each available presence of a session, after it was broadcast: its priority may be another one. */
  'session:presence': { session: Session }
  'session:unavailable': { session: Session }
  /** The stream ended; the session may still be resumed. */
  'session:detached': { session: Session }
  /** The session is gone: no route leads to it any more. */
  'session:closed': { session: Session }
  /** It is about to go on on another node: what it is to take along goes to its keeper now. */
  'session:moving': { session: Session }
  /** It goes on on another node: nobody hears that it is gone from here. */
  'session:moved': { session: Session }
  /** A session of a node that ended: nobody takes it up any more. */
  'session:lost': Lost
  /** What other nodes said since this moment may not have arrived; what is in the log is read beside. */
  'frames:missed': { since: number }
  'account:created': { account: Jid; number: number }
  /** Its tombstone is written; names and sessions are gone, every module's `forget` follows. */
  'account:removed': { account: Jid; number: number }
  'account:password-changed': { account: Jid; number: number; keep: Session | undefined }
  'account:disabled': { account: Jid; number: number }
  'roster:changed': { account: Jid; contact: Jid }
  'host:ready': { domain: string }
  'host:closing': { domain: string }
}

export type EventName = keyof Events
export type Listeners = { [E in EventName]?: (event: Events[E]) => void | Promise<void> }

interface Listener {
  owner: string
  call: (event: never) => void | Promise<void>
}

export class EventHub {
  #listeners = new Map<EventName, readonly Listener[]>()
  #failed: (owner: string, error: unknown) => void
  #silent = false

  constructor(failed: (owner: string, error: unknown) => void) {
    this.#failed = failed
  }

  add(owner: string, listeners: Listeners): void {
    for (const [name, call] of Object.entries(listeners) as [EventName, Listener['call']][]) {
      this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), { owner, call }])
    }
  }

  remove(owner: string): void {
    for (const [name, list] of this.#listeners) {
      this.#listeners.set(
        name,
        list.filter((listener) => listener.owner !== owner),
      )
    }
  }

  /** From here on nobody hears of anything. */
  silence(): void {
    this.#silent = true
  }

  /** Resolves when every listener is done; whoever need not wait does not. */
  emit<E extends EventName>(name: E, event: Events[E]): Promise<void> | undefined {
    if (this.#silent) return undefined
    let waiting: Promise<unknown>[] | undefined
    for (const { owner, call } of this.#listeners.get(name) ?? []) {
      try {
        const result = (call as (event: Events[E]) => void | Promise<void>)(event)
        if (result instanceof Promise)
          (waiting ??= []).push(result.catch((error) => this.#failed(owner, error)))
      } catch (error) {
        this.#failed(owner, error)
      }
    }
    return waiting && Promise.all(waiting).then(() => undefined)
  }
}
