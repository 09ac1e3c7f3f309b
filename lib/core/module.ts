// What a module is: a head that can be read without starting anything, and offers that `setup`
// returns as one literal. The loader adds and removes everything offered; nothing is registered by
// hand.

import type { Element, Wire } from '../xmpp/element.js'
import type { Envelope } from '../xmpp/envelope.js'
import type { Jid } from '../xmpp/jid.js'
import type { Options, Values } from '../ops/options.js'
import type { Log } from '../ops/log.js'
import type { HttpRoute } from '../net/http.js'
import type { Migration } from '../storage/migrations.js'
import type { JournalEntry } from '../storage/journal.js'
import type { Logged, Recorded } from '../storage/message-log.js'
import type { StreamFeature } from '../streams/negotiation.js'
import type { Knex } from 'knex'
import type { Command } from './commands.js'
import type { Answer } from './everywhere.js'
import type { Listeners } from './events.js'
import type { Host } from './host.js'
import type { Lost } from './mourning.js'
import type { Hooks } from './pipeline.js'
import type { Session } from './session.js'
import type { Remembered } from './shared-changes.js'

type Later<T> = T | Promise<T>

export interface Identity {
  readonly category: string
  readonly type: string
  readonly name?: string
}

export interface DiscoItem {
  readonly jid: string
  readonly node?: string
  readonly name?: string
}

export interface DiscoQuestion {
  readonly node: string
  readonly asker: Jid
  /** The host, or an account's bare address */
  readonly to: Jid
}

/** What service discovery tells of this module; a function where it depends on who asks. */
export interface DiscoOffer {
  /** Features of the host's own address */
  readonly server?: readonly string[]
  /** Features of an account's bare address */
  readonly account?: readonly string[]
  readonly identities?: readonly Identity[]
  readonly accountIdentities?: readonly Identity[]
  /** Items of the host */
  items?(asker: Jid): Later<readonly DiscoItem[]>
  /** Extended information about the host */
  forms?(): readonly Element[]
  /** Children of the answer for a node of this module's; undefined where the node is not its own. */
  nodeInfo?(question: DiscoQuestion): Later<readonly Element[] | undefined>
  nodeItems?(question: DiscoQuestion): Later<readonly DiscoItem[] | undefined>
}

/** Who may ask: anyone; any authenticated user of this host; the account itself; whoever sees its presence; an administrator. */
export type Allow = 'anyone' | 'local' | 'self' | 'subscriber' | 'admin'

export interface IqRequest {
  readonly envelope: Envelope
  /** The one child of the request */
  readonly element: Element
  readonly type: 'get' | 'set'
  readonly from: Jid
  /** The host, or the account's bare address */
  readonly to: Jid
  /** The asking session where it is one of this node */
  readonly session: Session | undefined
  /** Writes of this request: on disk before the answer leaves. */
  readonly entry: JournalEntry
  /** What it causes: called when the entry is on disk, before the answer leaves. */
  after(effect: () => void): void
  /** What must wait until the result has left: the end of the session that asked. */
  afterAnswer(effect: () => void): void
}

export interface IqOffer {
  readonly get?: string
  readonly set?: string
  readonly xmlns: string
  readonly to: 'host' | 'account'
  readonly allow: Allow
  /** It changes nothing: later stanzas of the same stream need not wait for it. */
  readonly reads?: boolean
  /** The child of the result, nothing for an empty result; throws StanzaError to refuse. */
  answer(request: IqRequest): Later<Element | undefined | void>
}

export interface Account {
  /** Never used again, also when the name is. */
  readonly number: number
  readonly jid: Jid
  readonly disabled: boolean
}

/** Who lives on a host. One module of a host offers this. */
export interface AccountSource {
  lookup(local: string): Later<Account | undefined>
}

/** Who may see whose presence. One module of a host offers this. */
export interface ContactSource {
  /** Whether `contact` (bare) has a subscription to `account`'s presence (RFC 6121 §3). */
  seesPresence(account: Jid, contact: Jid): Later<boolean>
}

export interface DomainOffer {
  /** In front of the host's domain: rooms → rooms.chat.example */
  readonly subdomain: string
  receive(envelope: Envelope): Later<void>
  /** This node reads the log, and this was written for an address of the domain. */
  logged?(recorded: Recorded): void
}

export interface Task {
  readonly name: string
  readonly every: number
  /** One node of all does it; harmless where two do for a moment. */
  readonly once?: boolean
  run(): Later<void>
}

export interface Metric {
  readonly name: string
  readonly doc: string
  readonly kind: 'counter' | 'gauge'
  read(): number
}

/** What every module must be able to do with an account's data. */
export interface AccountOffer {
  /**
   * Removes all that this module keeps of the account; may be called again after a crash. What it gives
   * back is called when that is on disk.
   */
  forget(account: Account, trx: Knex.Transaction): Promise<(() => void) | void>
}

/** A module's part in a session that outlives the process: `save` is asked whenever it says `changed`. */
export interface SessionOffer {
  save(session: Session): unknown
  /** The session is back, without a stream yet; `saved` is what `save` gave, or undefined. */
  restore(session: Session, saved: unknown): Later<void>
}

export interface Offers<P = unknown> {
  readonly disco?: DiscoOffer
  readonly iq?: readonly IqOffer[]
  readonly hooks?: Hooks
  readonly on?: Listeners
  readonly streamFeatures?: readonly StreamFeature[]
  readonly domain?: DomainOffer
  readonly http?: readonly HttpRoute[]
  readonly commands?: readonly Command[]
  readonly tasks?: readonly Task[]
  readonly metrics?: readonly Metric[]
  /** What it remembers of the database, by name: `host.changed` has the other nodes forget it. */
  readonly remembers?: Readonly<Record<string, Remembered>>
  /** What it says to `host.everywhere`, by question; JSON */
  readonly answers?: Readonly<Record<string, Answer>>
  readonly account?: AccountOffer
  readonly accounts?: AccountSource
  readonly contacts?: ContactSource
  /** What an account is shown beside a message of its log: wire text, '' for nothing. */
  label?(logged: { owner: Jid; id: number; flags: number }): Wire
  /** A message of the log that was not sent to this session but reaches it all the same. */
  replay?(logged: Logged, session: Session): Envelope | undefined
  /** What this module remembers of a session that may be resumed after a crash; JSON. */
  readonly session?: SessionOffer
  /** Whether somebody may yet take up this session of a node that has ended. */
  awaited?(lost: Lost): Later<boolean>
  /** The object that modules which require this one get from `host.use`. */
  readonly provides?: P
  close?(): Later<void>
}

/** A host as one module sees it. */
export type ModuleHost<O extends Options = Options> = Host & {
  readonly config: Values<O>
  readonly log: Log
  use<P>(module: Module<P>): P
}

export interface Module<P = unknown> {
  /** kebab-case, the name of its file */
  readonly name: string
  readonly summary: string
  /** Specification → version implemented, as `tercet modules` and doap.xml tell it */
  readonly xeps?: Readonly<Record<string, string>>
  /** Modules it calls; they are loaded first. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever they provide
  readonly requires?: readonly Module<any>[]
  readonly config?: Options
  readonly migrations?: readonly Migration[]
  // biome-ignore lint/suspicious/noExplicitAny: its own options, which only defineModule knows
  setup(host: ModuleHost<any>): Later<Offers<P>>
}

export function defineModule<P = undefined, O extends Options = Record<never, never>>(
  module: Omit<Module<P>, 'config' | 'setup'> & {
    config?: O
    setup(host: ModuleHost<O>): Later<Offers<P>>
  },
): Module<P> {
  return module as Module<P>
}
