// One session whose stream is managed (XEP-0198): what the client sent and we have on disk, and how long
// it may be away. What it is sent is its outlet's affair (outlet.ts), what it has of that is known in
// acknowledged.ts, what the disk has in own-rows.ts.
//
// Counts only grow here. A stanza gets its place in our count when it is written: what waits may still
// change, and a resumed stream numbers it anew.

import type { Keeper } from '../../lib/core/keeper.js'
import type { Session } from '../../lib/core/session.js'
import type { Brief } from '../../lib/net/xml-unit.js'
import type { Row } from '../../lib/storage/writes.js'
import type { ClientStream } from '../../lib/streams/client-stream.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { Acknowledged } from './acknowledged.js'
import { countOf } from './counts.js'
import { Outbox } from './outbox.js'
import { Outlet } from './outlet.js'
import { Handled } from './handled.js'
import { giveBack } from './overflow.js'
import { OwnRows } from './own-rows.js'
import type { Registry } from './registry.js'
import { OpenRequests } from './requests.js'
import { COUNTS, countsRow } from './store.js'
import { NS_SM } from './wording.js'
import { fill, type WrittenDown } from './written-down.js'

export interface ManagedTerms {
  readonly number: number
  readonly id: string
  readonly created: number
  /** 0 where it cannot be resumed */
  readonly timeout: number
  /** Of its row, where it has one */
  readonly version?: number
  readonly handled?: number
  /** What the client said it has */
  readonly acknowledged?: number
  /** In the message log: what comes later is owed to the client. */
  readonly position: number
}

export class ManagedSession implements Keeper {
  readonly session: Session
  readonly terms: ManagedTerms
  readonly requests = new OpenRequests()
  readonly outbox = new Outbox()
  readonly owed = () => this.outbox.envelopes()
  readonly acknowledged: Acknowledged
  readonly handled: Handled
  readonly outlet: Outlet
  readonly rows: OwnRows
  /** In the registry's list of those that it looks at */
  listed = false
  /** Another stream is about to take it up. */
  moving = false
  /** It is made again, and what modules say of it is not complete yet. */
  restoring = false
  /** Since when it is without a stream; 0 while it has one */
  detached = 0
  /** In steady time */
  #waitsSince = 0
  readonly #registry: Registry
  #rejected = false

  constructor(session: Session, registry: Registry, terms: ManagedTerms) {
    this.session = session
    this.terms = terms
    this.#registry = registry
    const { outbox } = this
    const start = { count: terms.acknowledged ?? 0, position: terms.position }
    const acknowledged = new Acknowledged(session, this, start)
    this.acknowledged = acknowledged
    const [bounds, now] = [() => registry.bounds, () => registry.time.now]
    const flows = () => this.handled.tell()
    this.outlet = new Outlet(session, { outbox, acknowledged, bounds, now, flows })
    this.handled = new Handled(session, {
      outlet: this.outlet,
      registry,
      count: terms.handled ?? 0,
    })
    this.rows = new OwnRows(this, registry)
  }

  /** What comes with almost every stanza (§4); all else takes the way of a feature. */
  told({ name, xmlns, attribute, value }: Brief): boolean {
    if (xmlns !== NS_SM) return false
    if (name === 'r') this.asked()
    else if (name === 'a' && attribute === 'h') this.acknowledge(countOf(value))
    else return false
    return true
  }

  // What the client sent

  mark(count: number): { table: string; row: Row } {
    this.handled.mark(count)
    return { table: COUNTS, row: this.counts(count) }
  }

  committed(count: number): void {
    this.handled.committed(count)
  }

  /** §5: the client sends again what is beyond the count that it is told. */
  countAnew(): void {
    this.handled.forgetMarked()
    this.requests.rewind(this.handled.count)
    this.session.keep(this, this.handled.count)
  }

  asked(): void {
    this.handled.asked()
    this.#registry.list(this)
  }

  /** Counting goes on from here in both directions, as if so many stanzas had been. */
  preset(count: number): void {
    this.handled.preset(count)
    this.acknowledged.count = count
  }

  // What it is sent

  get full(): boolean {
    return this.outlet.full
  }

  room(): boolean {
    return this.outlet.room()
  }

  write(envelope: Envelope): void {
    this.outlet.write(envelope)
    if (!this.listed) this.#registry.list(this)
  }

  /** `<a/>` (§4) */
  acknowledge(h: number): void {
    this.acknowledged.advance(h)
    this.outlet.heard()
  }

  caughtUp(): void {
    this.outlet.missed.more()
  }

  /** As its row has it, and what came after this number. */
  owe(down: WrittenDown | undefined, after: number): void {
    if (down) {
      fill(this.outbox, this.session.position, down)
      this.acknowledged.rejectedBefore(down.luggage?.rejections ?? 0)
    }
    this.outlet.missed.restore(after)
  }

  // Streams come and go

  /** RFC 6120 §4.4, XEP-0198 §7: a stream that was not closed may be taken up again. */
  lingers(error: Error | undefined): boolean {
    this.outlet.halt()
    this.#rejected = isRejection(error)
    if (!this.moving && !this.#mayReturn(error)) return false
    this.#wait(this.session.host.clock.now())
    if (this.session.behind) this.outbox.letGo()
    this.rows.save()
    return true
  }

  #mayReturn(error: Error | undefined): boolean {
    return (
      this.terms.timeout > 0 && error !== undefined && !isMisuse(error) && !this.#registry.closed
    )
  }

  /** Not for ever. */
  #wait(since: number): void {
    this.detached = since
    this.#waitsSince = this.#registry.time.now
    this.#registry.list(this)
  }

  /**
   * The stream that it has ends for another one. What that brought is decided and counted; whether there
   * is a session then.
   */
  async stopped(): Promise<boolean> {
    const { session } = this
    this.moving = !session.leaving
    session.stream?.close(new StreamError('conflict', 'the stream was resumed on another one'))
    for (let busy = session.drained(); busy; busy = session.drained()) await busy
    this.handled.markAll()
    await session.host.journal.settled()
    return !session.closed && !session.leaving
  }

  /** SEC-07, where its last stream ended so. */
  countRejection(): void {
    if (this.#rejected) this.acknowledged.rejected()
    this.#rejected = false
  }

  /**
   * Another stream, whose client has so much (§5); nothing is written to it before `begin`. What its row
   * says of an absence is wrong from then on, so it must be gone from the disk. False where the session
   * has ended by then.
   */
  async take(stream: ClientStream, h: number): Promise<boolean> {
    this.acknowledged.advance(h)
    await this.#present()
    if (this.session.closed || this.session.leaving) return false
    this.countAnew()
    this.outlet.rewind()
    this.countRejection()
    this.moving = false
    this.handled.toldAnew()
    this.session.attach(stream)
    return true
  }

  async #present(): Promise<void> {
    const [detached, since] = [this.detached, this.#waitsSince]
    this.detached = this.#waitsSince = 0
    try {
      await this.rows.present()
    } catch (error) {
      this.#wait(detached)
      this.#waitsSince = since
      throw error
    }
  }

  begin(): void {
    this.outlet.begin()
  }

  ended(): void {
    this.outlet.halt()
    this.#registry.remove(this)
    giveBack(this.session, this.outbox)
    this.outbox.clear()
    this.rows.save(this.session.host.clock.now())
  }

  moved(): void {
    this.outlet.halt()
    this.#registry.remove(this)
    this.outbox.clear()
    this.acknowledged.stale = false
  }

  /** Once a second. Whether there is something to look at the next time. */
  look(now: number): boolean {
    // Written late it would take the place of what another node has written since.
    const rides = this.acknowledged.stale && !this.moving
    if (rides && this.handled.marked === this.handled.count) this.#ride()
    if (this.session.closed) return false
    if (this.detached > 0) return this.#waits(now)
    const unanswered = this.handled.look()
    const more = this.outlet.look(now)
    return more || unanswered || this.acknowledged.stale || this.detached > 0
  }

  #waits(now: number): boolean {
    this.#waitsSince ||= now
    if (this.moving || now - this.#waitsSince < this.terms.timeout) return true
    this.session.close()
    return false
  }

  // On disk

  counts(handled: number): Row {
    const position = this.acknowledged.settled
    const requests = this.requests.upTo(handled)
    return countsRow(this.terms.number, { handled, position, requests })
  }

  /** Only the position and the requests are new: losing that costs a repetition. */
  #ride(): void {
    this.acknowledged.stale = this.acknowledged.settled < this.acknowledged.position
    this.session.host.journal.ride(COUNTS, this.counts(this.handled.count))
  }

  changed(): void {
    // It may be owed older messages from now on: its position goes back, and must do so on disk.
    this.acknowledged.stale = true
    if (!this.restoring) this.rows.saveSoon()
  }
}

/** RFC 6120 §4.9.1.1: the client says that something it got is an error. */
function isRejection(error: Error | undefined): boolean {
  return error instanceof StreamError && error.condition === 'bad-format'
}

/** Its counts and ours have nothing to do with each other any more. */
function isMisuse(error: Error): boolean {
  return error instanceof StreamError && error.condition === 'undefined-condition'
}
