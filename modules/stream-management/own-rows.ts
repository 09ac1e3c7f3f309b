// What is on disk of one session: its row, and with it its counts where they would be out of date. What
// the row says of an absence is wrong as soon as a stream has the session, so it must be known to be gone
// before anything is written to one.

import type { Row } from '../../lib/storage/writes.js'
import type { ManagedSession } from './managed-session.js'
import type { Owed } from './outbox.js'
import type { Registry } from './registry.js'
import { COUNTS, SESSIONS, type SessionRow, SessionStore, type StoredSession } from './store.js'
import type { Shown } from './written-down.js'

export class OwnRows {
  readonly #managed: ManagedSession
  readonly #registry: Registry
  #version: number
  #unsaved = false
  /** While it is handed over */
  #shown: Shown | undefined
  #handed: StoredSession | undefined
  /** So many of its queue went into the last row that has all of it. */
  packed = 0

  constructor(managed: ManagedSession, registry: Registry) {
    this.#managed = managed
    this.#registry = registry
    this.#version = managed.terms.version ?? 1
  }

  /** Once for all that one stanza changes, and in the group of its count. */
  saveSoon(): void {
    if (this.#unsaved) return
    this.#unsaved = true
    queueMicrotask(() => {
      if (this.#unsaved) this.save()
    })
  }

  /** Where that fails, the next change writes all of it again. */
  save(ended = 0): void {
    this.#managed.session.host.server.pending(this.#write(ended).catch(() => undefined))
  }

  /**
   * Resolves when the disk does not say any more that it is away; rejects where that stays so. Whoever
   * asks has waited for what was on its way to the disk.
   */
  async present(): Promise<void> {
    try {
      await this.#write(0)
    } catch (error) {
      if (this.#contradicts || (await this.#isDated().catch(() => true))) throw error
    }
  }

  /** Its client would hear that something failed, and that it is to send it again. */
  get #contradicts(): boolean {
    return uncounted(this.#managed) && [...this.#managed.outbox].some(isRefusal)
  }

  /** Whether the disk tells of an absence, or of an earlier life. */
  async #isDated(): Promise<boolean> {
    const { session, terms } = this.#managed
    const row = await new SessionStore(session.host.database).find(terms.number)
    return row === undefined || row.detached > 0 || row.life !== this.#registry.life
  }

  /**
   * All of it, for another node; resolves when that is on disk. Until it stays or has gone every row is
   * written so, whoever has it written: the last one counts.
   */
  handOver(shown: Shown): Promise<void> {
    this.#shown = shown
    this.#managed.acknowledged.stale = true
    return this.#write(0)
  }

  /** As `handOver` wrote it last, where nothing else was written since */
  get handed(): StoredSession | undefined {
    const handed = this.#handed
    return handed?.version === this.#version ? handed : undefined
  }

  /** It is not handed over any more. */
  stays(): void {
    this.#handed = undefined
    this.#shown = undefined
  }

  async #write(ended: number): Promise<void> {
    const managed = this.#managed
    const { session, acknowledged } = managed
    const { marked } = managed.handled
    // What has ended is not to come back.
    if (ended === 0 && session.closed) return
    this.#unsaved = false
    this.#version++
    if (this.#shown) this.packed = managed.outbox.length
    const entry = session.host.journal.entry()
    const row = this.row(ended)
    entry.put(SESSIONS, row)
    // What is on its way to the disk gets there first, or with this.
    const counts = acknowledged.stale || uncounted(managed) ? managed.counts(marked) : undefined
    if (counts) entry.count(COUNTS, counts)
    if (this.#shown && counts) this.#handed = handedOver(row, counts, session.host.clock.now())
    await session.host.journal.commit(entry)
    if (entry.counted) managed.committed(marked)
  }

  row(ended = 0): Row {
    const { session, terms, detached } = this.#managed
    const { number, id, created, timeout } = terms
    const row: SessionRow = {
      number,
      version: this.#version,
      id,
      account: session.number,
      life: this.#registry.life,
      resource: session.resource,
      created,
      timeout,
      detached,
      ended,
      state: ended > 0 ? '' : this.#registry.stateOf(session),
      owed: ended === 0 && detached > 0 ? this.#owed() : '',
    }
    return { ...row }
  }

  #owed(): string {
    const { acknowledged, detached } = this.#managed
    return this.#shown ? acknowledged.packUp(this.#shown) : acknowledged.writeDown(detached)
  }
}

/** Something was decided that is not on disk as handled. */
function uncounted({ handled }: ManagedSession): boolean {
  return handled.marked > handled.count
}

function isRefusal(owed: Owed): boolean {
  return 'stanza' in owed && owed.origin === 'local' && owed.stanza.type === 'error'
}

/** As whoever finds it reads it */
function handedOver(row: Row, { handled, position, requests }: Row, seen: number): StoredSession {
  return { ...row, handled, position, requests, seen } as unknown as StoredSession
}
