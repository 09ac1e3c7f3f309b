// One served domain: its modules, hooks, accounts and sessions. Several hosts live in one server and
// share its database, journal, clock and router; nothing of one reaches another but by stanzas.

import type { Clock } from '../ops/clock.js'
import type { Log } from '../ops/log.js'
import type { Random } from '../ops/random.js'
import type { Wire } from '../xmpp/element.js'
import { Jid } from '../xmpp/jid.js'
import type { Envelope } from '../xmpp/envelope.js'
import type { Database } from '../storage/database.js'
import type { Logged, MessageLog } from '../storage/message-log.js'
import type { Journal } from '../storage/journal.js'
import type { ClientStream } from '../streams/client-stream.js'
import type { BoundSession, StreamHost } from '../streams/surroundings.js'
import type { StreamFeature } from '../streams/negotiation.js'
import { starttls } from '../streams/starttls.js'
import { StanzaError } from '../xmpp/errors.js'
import { isAdmin } from './access.js'
import { EventHub } from './events.js'
import type { Answers } from './everywhere.js'
import { IqTable } from './iq.js'
import type { AccountSource, ContactSource, Module, Offers } from './module.js'
import { Pipeline } from './pipeline.js'
import type { Router } from './router.js'
import type { Server } from './server.js'
import { envelopeOf, isDirect } from './catch-up.js'
import type { Session } from './session.js'
import { Sessions } from './sessions.js'
import type { HostSettings } from './settings.js'

export interface LoadedModule {
  readonly module: Module
  /** Its options as the configuration has them */
  readonly written: Readonly<Record<string, unknown>>
  readonly offers: Offers
}

export class Host implements StreamHost {
  readonly server: Server
  readonly domain: string
  readonly jid: Jid
  settings: HostSettings
  readonly pipeline: Pipeline
  readonly events: EventHub
  readonly iq: IqTable
  readonly sessions: Sessions
  readonly log: Log
  /** By name, in the order they were loaded; changed by the loader alone. */
  readonly modules = new Map<string, LoadedModule>()
  accounts: AccountSource | undefined
  contacts: ContactSource | undefined
  streamFeatures: readonly StreamFeature[] = [starttls]
  #labels: readonly NonNullable<Offers['label']>[] = []
  #replays: readonly NonNullable<Offers['replay']>[] = []

  constructor(server: Server, settings: HostSettings) {
    this.server = server
    this.settings = settings
    this.domain = settings.domain
    this.jid = Jid.of('', settings.domain)
    this.log = server.log.with({ host: settings.domain })
    this.pipeline = new Pipeline(server.shuffle)
    this.events = new EventHub((owner, error) => this.failed(owner, error))
    this.iq = new IqTable(this)
    this.sessions = new Sessions(this)
  }

  get clock(): Clock {
    return this.server.clock
  }

  get random(): Random {
    return this.server.random
  }

  get database(): Database {
    return this.server.database
  }

  get journal(): Journal {
    return this.server.journal
  }

  get messages(): MessageLog {
    return this.server.messages
  }

  get router(): Router {
    return this.server.router
  }

  get encryption(): 'required' | 'optional' {
    return this.settings.encryption
  }

  /** Every offer of one kind, with the module that made it. */
  *offered<K extends keyof Offers>(
    kind: K,
  ): Generator<{ owner: string; offer: NonNullable<Offers[K]> }> {
    for (const [owner, { offers }] of this.modules) {
      const offer = offers[kind]
      if (offer !== undefined) yield { owner, offer: offer as NonNullable<Offers[K]> }
    }
  }

  isAdmin(jid: Jid): boolean {
    return isAdmin(this.settings.admins, jid)
  }

  /** Of an account, 0 where there is none; at once where it has a session here. */
  numberOf(jid: Jid): number | Promise<number> {
    const [session] = this.sessions.of(jid.bare)
    if (session) return session.number
    const account = this.accounts?.lookup(jid.local)
    return account instanceof Promise
      ? account.then((found) => found?.number ?? 0)
      : (account?.number ?? 0)
  }

  /** A logged message with what its recipient's account is shown beside it. */
  labelled(envelope: Envelope, flags: number): Envelope {
    const text = this.labels({ owner: envelope.to.bare, id: envelope.logId, flags })
    return text === '' ? envelope : envelope.annotated(text)
  }

  /** What an account is shown beside a message of its log. */
  labels(logged: { owner: Jid; id: number; flags: number }): Wire {
    let text = ''
    for (const label of this.#labels) text += label(logged)
    return text
  }

  /** How a message that a session missed reaches it from the log; undefined where it does not. */
  replayed(logged: Logged, session: Session): Envelope | undefined {
    if (isDirect(logged, session)) return this.labelled(envelopeOf(logged), logged.flags)
    return this.copied(logged, session)
  }

  /** The same for one that was not sent to it. */
  copied(logged: Logged, session: Session): Envelope | undefined {
    for (const replay of this.#replays) {
      const envelope = replay(logged, session)
      if (envelope) return envelope
    }
    return undefined
  }

  features(): readonly StreamFeature[] {
    return this.streamFeatures
  }

  /** The loader calls it after adding or removing a module. */
  refresh(): void {
    const offered = [...this.offered('streamFeatures')].flatMap(({ offer }) => offer)
    this.streamFeatures = [starttls, ...offered]
    this.accounts = [...this.offered('accounts')][0]?.offer
    this.contacts = [...this.offered('contacts')][0]?.offer
    this.#labels = [...this.offered('label')].map(({ offer }) => offer)
    this.#replays = [...this.offered('replay')].map(({ offer }) => offer)
  }

  async bind(
    stream: ClientStream,
    account: Jid,
    resource: string | undefined,
  ): Promise<BoundSession> {
    const found = await this.accounts?.lookup(account.local)
    if (!found || found.disabled) throw new StanzaError('not-authorized')
    return this.sessions.bind(stream, found, resource)
  }

  /** Other nodes forget what their modules remember of it; it is on disk. */
  changed(what: string, key: string | number): void {
    this.server.changes.tell(this, what, key)
  }

  /** The same, and resolves when they have. */
  changedEverywhere(what: string, key: string): Promise<void> {
    return this.server.changes.confirm(this, what, key)
  }

  /** What this module says on each node. */
  everywhere<T>(name: string, content: unknown): Promise<Answers<T>> {
    return this.server.everywhere.ask<T>(this, name, content)
  }

  /** To this module on each other node; what it says to it is not heard. */
  tellOthers(name: string, content: unknown): void {
    this.server.everywhere.tell(this, name, content)
  }

  /** A bug: logged here with its stack; nobody else is harmed by it. */
  failed(where: string, error: unknown): void {
    this.server.failed(where, error)
  }
}
