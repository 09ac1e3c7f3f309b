// The rosters of one host, for whoever needs them: read at once where they are in memory, changed
// within the journal entry of the stanza that changes them. What a change causes (pushes to the
// account's clients, the events) comes after the commit.

import type { Host } from '../../lib/core/host.js'
import type { Account } from '../../lib/core/module.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { inState, type Item, looksDifferent } from './item.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import { Pushes } from './pushes.js'
import { type Roster, RosterCache } from './roster-cache.js'
import { type Alter, RosterStore, type StoredChange } from './store.js'
import { hasFrom } from './subscriptions.js'

declare module '../../lib/core/events.js' {
  interface Events {
    /** Whether the contact sees the account's presence has changed; the change is on disk. */
    'roster:audience': { account: Jid; contact: Jid; sees: boolean }
  }
}

/** Where a change is written: a Passage and an IqRequest are such. */
export interface Writing {
  readonly entry: JournalEntry
  after(effect: () => void): void
}

export interface Owner {
  readonly jid: Jid
  readonly number: number
}

/** A change under way; what it did is known after the commit, and within it to later writes of the same entry. */
export class Change {
  readonly owner: Owner
  #stored: StoredChange | undefined

  constructor(owner: Owner) {
    this.owner = owner
  }

  get stored(): StoredChange {
    if (!this.#stored) throw new Error('a roster change is looked at before it was made')
    return this.#stored
  }

  set stored(stored: StoredChange) {
    this.#stored = stored
  }

  get before(): Item {
    return this.stored.before
  }

  get now(): Item {
    return this.stored.now
  }
}

export class Rosters {
  readonly store: RosterStore
  readonly cache: RosterCache
  readonly pushes: Pushes
  /** Subscription stanzas of the server's own whose effect on the recipient's side is on disk already. */
  readonly decided = new WeakMap<Stanza, Change>()
  /** Of presence that no user sent as it is: what goes wrong with it is no news to a user. */
  readonly quietId: string
  readonly #host: Host
  readonly #most: number

  constructor(host: Host, { most }: { most: number }) {
    this.#host = host
    this.#most = most
    this.quietId = host.random.id()
    this.store = new RosterStore(host.database)
    this.pushes = new Pushes(host, this)
    this.cache = new RosterCache({
      store: this.store,
      clock: host.clock,
      believed: () => host.server.changes.believed,
    })
  }

  /** Other nodes may have changed a roster: their word may still be on its way. */
  get #shared(): boolean {
    return this.#host.server.bus.nodes().length > 1
  }

  /** The owner of an address of this host; at once where it has a session here. */
  owner(account: Jid): Later<Owner | undefined> {
    const jid = account.bare
    const session = this.#host.sessions.of(jid)[0]
    if (session) return { jid, number: session.number }
    if (jid.domain !== this.#host.domain || jid.local === '') return undefined
    return whenKnown(
      this.#host.accounts?.lookup(jid.local),
      (found) => found && { jid, number: found.number },
    )
  }

  /** By the account's number. */
  of(account: number): Later<Roster> {
    return this.cache.get(account)
  }

  /** By the account's address; undefined where there is no such account here. */
  ofAccount(account: Jid): Later<Roster | undefined> {
    return whenKnown(this.owner(account), (owner) => owner && this.of(owner.number))
  }

  /** Whether `contact` has a subscription to the presence of `account`. */
  sees(contact: Jid, account: Jid): Later<boolean> {
    return whenKnown(
      this.ofAccount(account),
      (roster) => roster !== undefined && hasFrom(roster.item(contact.bare)),
    )
  }

  /** Whether it is certain, without a look at the disk, that this would change nothing. */
  isIdle(roster: Roster, { contact, alter }: { contact: Jid; alter: Alter }): boolean {
    const item = roster.item(contact)
    return !this.#shared && alter(item) === item
  }

  /** LIM-roster-items: refuses where the contact would be one too many. */
  checkRoom(roster: Roster, contact: Jid): void {
    if (roster.length < this.#most || roster.item(contact).listed) return
    throw new StanzaError('policy-violation', `a roster has at most ${this.#most} contacts`)
  }

  change(writing: Writing, owner: Owner, change: { contact: Jid; alter: Alter }): Change {
    const made = new Change(owner)
    const key = { account: owner.number, contact: change.contact }
    writing.entry.write(async (trx) => {
      made.stored = await this.store.change(trx, key, change.alter)
    })
    writing.after(() => this.#apply(made))
    return made
  }

  #apply({ owner, stored }: Change): void {
    const { before, now } = stored
    this.cache.apply(owner.number, stored)
    this.#host.changed('roster', owner.number)
    const event = { account: owner.jid, contact: now.contact }
    if (now !== before) this.#host.server.pending(this.#host.events.emit('roster:changed', event))
    if (hasFrom(now) === hasFrom(before)) return
    const audience = { ...event, sees: hasFrom(now) }
    this.#host.server.pending(this.#host.events.emit('roster:audience', audience))
  }

  /** Written by other ways than `change`: nothing in memory is right. */
  forget(account: number): void {
    this.cache.forget(account)
    this.#host.changed('roster', account)
  }

  /** Others may have changed any of them. */
  forgetAll(): void {
    this.cache.forgetAll()
    this.pushes.doubt()
  }

  /** RFC 6121 §2.1.6: to each client that asked for the roster, where it sees a difference. */
  push(change: Change): void {
    if (looksDifferent(change.before, change.now)) this.pushAnyway(change)
  }

  pushAnyway({ owner, stored }: Change): void {
    this.pushes.push(owner.jid, stored.now, stored.version)
  }

  /** Each sees the other, without anybody being asked. */
  async setMutual(one: Account, other: Account): Promise<void> {
    const effects: (() => void)[] = []
    const entry = this.#host.journal.entry()
    const writing = { entry, after: (effect: () => void) => void effects.push(effect) }
    const changes = [
      this.change(writing, one, { contact: other.jid, alter: mutual }),
      this.change(writing, other, { contact: one.jid, alter: mutual }),
    ]
    await this.#host.journal.commit(entry)
    for (const effect of effects) effect()
    for (const change of changes) this.push(change)
  }
}

function mutual(item: Item): Item {
  if (item.subscription === 'both') return item
  const both = { subscription: 'both', pendingOut: false, pendingIn: false } as const
  return inState(item, { ...both, approved: item.approved })
}
