// One session whose stream is managed (XEP-0198): what the client sent and we have on disk, and what it
// was sent and has not acknowledged. It writes to the stream while nothing waits before it; where the
// client takes less than it is sent, the session falls behind and comes to its messages by the log.
//
// Counts only grow here. A stanza gets its place in our count when it is written: what waits may still
// change, and a resumed stream numbers it anew.

import { CatchUp } from '../../lib/core/catch-up.js'
import type { Keeper } from '../../lib/core/keeper.js'
import type { Session } from '../../lib/core/session.js'
import { failpoint } from '../../lib/ops/failpoint.js'
import type { Brief } from '../../lib/net/xml-unit.js'
import type { Row } from '../../lib/storage/writes.js'
import type { ClientStream } from '../../lib/streams/client-stream.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { beyond, readCount } from './counts.js'
import { Outbox, type Owed } from './outbox.js'
import { giveBack, late, Overflow } from './overflow.js'
import type { Registry } from './registry.js'
import { OpenRequests } from './requests.js'
import { COUNTS, countsRow, SESSIONS, type SessionRow } from './store.js'
import { fill, type WrittenDown, writeDown } from './written-down.js'
import { acknowledgement, NS_SM, REQUEST, tooHigh } from './wording.js'

/** So many stanzas are written before the client is asked what it has. */
const ASK_AFTER = 8
/** LIM-ack-wait */
const MOST_PATIENCE = 60_000
/** What a client asked for itself may go beyond the bound, so many times. */
const FAR_BEYOND = 8
/** Bytes on their way to the kernel beyond which a stream is given no more */
const MOST_BUFFERED = 256 * 1024
/** How soon a slow reader is looked at again */
const PAUSE = 100
/** Texts read from the log at once */
const PAGE = 50
/** SEC-07 */
const MOST_REJECTIONS = 3

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
  /** In the registry's list of those that it looks at */
  listed = false
  /** An acknowledgement is on its way. */
  telling = false
  /** Another stream is about to take it up. */
  moving = false
  /** Since when it is without a stream; 0 while it has one */
  detached = 0
  readonly #registry: Registry
  readonly #overflow: Overflow
  #version: number
  #committed: number
  #marked: number
  #told = 0
  #wanted = 0
  #acknowledged: number
  #position: number
  /** The position or the requests on disk are older than those here. */
  #stale = false
  #unsaved = false
  #asked = 0
  /** Stanzas are written as they come: there is a stream, and nothing waits before them. */
  #flowing = false
  #pumping = false
  /** Its stream has yet to be told that it is resumed or managed. */
  #quiet = true
  #full = false
  #restored = false
  /** After this number there were messages for the account when it did not take any; 0 for none. */
  #leftFrom = 0
  #rejected = false
  #rejections = { at: -1, times: 0 }

  constructor(session: Session, registry: Registry, terms: ManagedTerms) {
    this.session = session
    this.terms = terms
    this.#registry = registry
    this.#overflow = new Overflow(session)
    this.#version = terms.version ?? 1
    this.#committed = terms.handled ?? 0
    this.#marked = this.#committed
    this.#acknowledged = terms.acknowledged ?? 0
    this.#position = terms.position
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

  get handled(): number {
    return this.#committed
  }

  mark(count: number): { table: string; row: Row } {
    if (count > this.#marked) this.#marked = count
    return { table: COUNTS, row: this.#counts(count) }
  }

  committed(count: number): void {
    if (count <= this.#committed) return
    this.#committed = count
    if (this.#told < this.#wanted) this.#registry.tellSoon(this)
  }

  /** `<r/>` (§4): answered at once with what is on disk; what comes there later is told unasked. */
  asked(): void {
    this.#wanted = this.session.lane.arrived
    this.tell()
  }

  /** Counting goes on from here in both directions, as if so many stanzas had been. */
  preset(count: number): void {
    this.#committed = count
    this.#marked = count
    this.#acknowledged = count
  }

  tell(): void {
    const { stream } = this.session
    if (!stream) return
    this.#told = this.#committed
    stream.write(acknowledgement(this.#committed))
    failpoint('during-ack')
  }

  // What it is sent

  get #bounds(): { stanzas: number; bytes: number } {
    return this.#registry.bounds
  }

  room(): boolean {
    const { stanzas, bytes } = this.#bounds
    const { outbox } = this
    if (!this.#flowing || outbox.length > stanzas / 2 || outbox.bytes > bytes / 2) return false
    return (this.session.stream?.transport.buffered ?? 0) < MOST_BUFFERED
  }

  write(envelope: Envelope): void {
    if (this.#full && !this.#overflow.mustQueue(envelope)) return
    const { outbox } = this
    outbox.push(envelope)
    if (this.#flowing && this.#streams()) {
      this.session.send(envelope)
      outbox.written++
      if (this.#asked === 0 && outbox.written >= ASK_AFTER) this.#ask()
    }
    if (!this.listed) this.#registry.list(this)
    this.#measure()
  }

  /** Where much waits to be taken by the kernel, the rest waits here. */
  #streams(): boolean {
    const { stream } = this.session
    if (!stream || this.outbox.bytes < MOST_BUFFERED) return stream !== undefined
    if (stream.transport.buffered < MOST_BUFFERED) return true
    this.#flowing = false
    this.#pumpLater()
    return false
  }

  /** LIM-sm-queue */
  #measure(): void {
    const { length, bytes } = this.outbox
    const { stanzas: most, bytes: mostBytes } = this.#bounds
    if (length < most && bytes < mostBytes) return
    if (length > most * FAR_BEYOND || bytes > mostBytes * FAR_BEYOND) {
      // Answers were lost if this went on: that must not look like a stream that goes on.
      this.session.close(new StreamError('policy-violation', 'too much is not acknowledged'))
    } else if (!this.#full) this.#fallBehind()
  }

  #fallBehind(): void {
    this.#full = true
    this.session.behind ??= this.#catchUp(this.outbox.highest || this.#position)
    this.outbox.letGo()
  }

  /** Everything after this number comes from the log. */
  #catchUp(after: number): CatchUp {
    const { session } = this
    return new CatchUp(session, after, {
      flags: 0,
      room: () => this.#flowing,
      amend: (envelope, { id }) => {
        if (session.position.has(id)) return undefined
        if (!this.#wants(envelope)) return this.#leaveOut(id)
        return late(envelope, session)
      },
    })
  }

  /** RFC 6121 §8.5.2.2.1: what is for the account goes to who wants it. */
  #wants({ to }: Envelope): boolean {
    const { session } = this
    return !to.isBare || (session.available && session.priority >= 0)
  }

  /** Its client's first presence may be among what is sent again: then this was for it too. */
  #leaveOut(id: number): undefined {
    if (this.#restored && this.#leftFrom === 0) this.#leftFrom = id - 1
    return undefined
  }

  /** It is available: what was left out of what it missed is for it now. */
  wantsMore(): void {
    const { behind, available, priority, host } = this.session
    if (this.#leftFrom === 0 || !available || priority < 0) return
    // Who has it catch up now is done first.
    if (behind) {
      this.#registry.list(this)
      return
    }
    const catchUp = this.#catchUp(this.#leftFrom)
    this.#leftFrom = 0
    this.#restored = false
    this.session.behind = catchUp
    host.server.pending(catchUp.run().catch((error) => host.failed('catch-up', error)))
  }

  /** As its row has it: exactly, or what came after its position. */
  owe(down: WrittenDown | undefined): void {
    this.#restored = true
    if (down) fill(this.outbox, down)
    this.session.behind = this.#catchUp(down?.after ?? this.#position)
  }

  #ask(): void {
    this.#asked = this.session.host.clock.now()
    this.session.stream?.write(REQUEST)
  }

  // What it acknowledges

  /** `<a/>` (§4). Throws where it is more than was sent (§6). */
  acknowledge(h: number): void {
    this.#asked = 0
    this.#advance(h)
    if (this.#flowing && this.outbox.written >= ASK_AFTER) this.#ask()
    this.#goOn()
  }

  /** A count that was true earlier says nothing. */
  #advance(h: number): void {
    const ahead = beyond(h, this.#acknowledged)
    if (ahead > this.outbox.written) throw tooHigh(h, this.#acknowledged + this.outbox.written)
    let newest = 0
    for (let i = 0; i < ahead; i++) newest = Math.max(newest, this.#taken(this.outbox.shift()))
    if (ahead > 0) this.#acknowledged += ahead
    if (newest > 0) this.#moved(newest)
  }

  /** Gives the number of a message that moves the account's cursor. */
  #taken(owed: Owed): number {
    if (owed.logId === 0) {
      const iq = 'stanza' in owed && owed.stanza.kind === 'iq' ? owed.stanza : undefined
      if (iq && this.requests.answered(iq)) this.#stale = true
      return 0
    }
    if (owed.logId > this.#position) this.#position = owed.logId
    this.#stale = true
    return this.session.position.inTurn(owed.logId) ? owed.logId : 0
  }

  #moved(newest: number): void {
    this.session.took(Math.min(newest, this.position))
  }

  /** Up to here the client has everything that is in the log for it. */
  get position(): number {
    const { lowest } = this.outbox
    const acknowledged = lowest > 0 ? Math.min(lowest - 1, this.#position) : this.#position
    const { behind } = this.session
    return behind ? Math.min(acknowledged, behind.after) : acknowledged
  }

  /** There may be room again. */
  #goOn(): void {
    if (this.#full && !this.room()) return
    this.#full = false
    for (const envelope of this.#overflow.release()) this.write(envelope)
    const { behind, host } = this.session
    if (behind) host.server.pending(behind.run().catch((error) => host.failed('catch-up', error)))
  }

  // Streams come and go

  /** RFC 6120 §4.4, XEP-0198 §7: a stream that was not closed may be taken up again. */
  lingers(error: Error | undefined): boolean {
    this.#flowing = false
    this.#asked = 0
    this.#rejected = isRejection(error)
    if (this.moving) return true
    if (this.terms.timeout === 0 || !error || isMisuse(error) || this.#registry.closed) return false
    this.detached = this.session.host.clock.now()
    if (this.session.behind) this.outbox.letGo()
    this.#registry.list(this)
    this.save()
    return true
  }

  /** Another stream, whose client has so much (§5); nothing is written to it yet. */
  take(stream: ClientStream, h: number): void {
    this.#advance(h)
    this.outbox.written = 0
    this.#quiet = true
    this.#dropPoison()
    this.detached = 0
    this.moving = false
    this.session.attach(stream)
    this.#told = this.#committed
    this.#wanted = this.#committed
    this.save()
  }

  /** Whether the client says less than it said before: it has lost what it had. */
  forgot(h: number): boolean {
    return beyond(h, this.#acknowledged) < 0
  }

  /** §5: what it has not acknowledged, in order, and then what it missed. */
  begin(): void {
    this.#quiet = false
    this.#pump()
  }

  /** SEC-07: what makes a client end its stream again and again is not sent for ever. */
  #dropPoison(): void {
    if (!this.#rejected || this.outbox.length === 0) return
    const { at, times } = this.#rejections
    this.#rejections = { at: this.#acknowledged, times: at === this.#acknowledged ? times + 1 : 1 }
    if (this.#rejections.times < MOST_REJECTIONS) return
    const dropped = this.outbox.shift()
    if (dropped.logId > this.#position) this.#position = dropped.logId
    const from = 'stanza' in dropped ? dropped.from.text : undefined
    const to = this.session.jid.text
    this.session.host.log.warn('a stanza that its client rejects was dropped', { from, to })
    this.#rejections = { at: -1, times: 0 }
  }

  #pumpLater(): void {
    const { host, stream } = this.session
    host.clock.after(PAUSE, () => {
      if (this.session.stream === stream && !this.session.closed) this.#pump()
    })
  }

  #pump(): void {
    if (this.#pumping || this.#flowing || this.#quiet || !this.session.stream) return
    this.#pumping = true
    const { host } = this.session
    host.server.pending(
      this.#writeWaiting()
        .catch((error) => host.failed('stream management', error))
        .finally(() => {
          this.#pumping = false
        }),
    )
  }

  async #writeWaiting(): Promise<void> {
    const { outbox, session } = this
    for (let { stream } = session; stream && !this.#quiet; stream = session.stream) {
      if (outbox.written >= outbox.length) return this.#flow()
      if (stream.transport.buffered >= MOST_BUFFERED) return this.#pumpLater()
      if (!('stanza' in outbox.at(outbox.written))) await this.#fetch()
      if (session.stream === stream && !this.#quiet) this.#writeNext()
    }
  }

  #writeNext(): void {
    const { outbox } = this
    const owed = outbox.at(outbox.written)
    if (!owed || !('stanza' in owed)) return
    this.session.send(late(owed, this.session))
    outbox.written++
    if (this.#asked === 0 && outbox.written >= ASK_AFTER) this.#ask()
  }

  #flow(): void {
    this.#flowing = true
    if (this.#asked === 0 && this.outbox.written > 0) this.#ask()
    this.#goOn()
  }

  /** Texts from the log; what is not there any more was delivered elsewhere and is owed to nobody. */
  async #fetch(): Promise<void> {
    const { outbox, session } = this
    const ids: number[] = []
    for (let at = outbox.written; at < outbox.length && ids.length < PAGE; at++) {
      const owed = outbox.at(at)
      if (!('stanza' in owed)) ids.push(owed.logId)
    }
    const { host, number: owner } = session
    const page = await host.messages.page({ owner, ids, flags: 0, limit: ids.length })
    const found = new Map(page.messages.map((logged) => [logged.id, logged]))
    const wanted = new Set(ids)
    for (let at = outbox.written; at < outbox.length; at++) {
      const owed = outbox.at(at)
      const logged = 'stanza' in owed ? undefined : found.get(owed.logId)
      const envelope = logged && host.replayed(logged, session)
      if (envelope) outbox.put(at, envelope)
    }
    outbox.sift((owed) => 'stanza' in owed || !wanted.has(owed.logId))
  }

  ended(): void {
    this.#flowing = false
    this.#registry.remove(this)
    giveBack(this.session, this.outbox)
    this.outbox.clear()
    this.save(this.session.host.clock.now())
  }

  // Looked at once a second

  /** Whether there is something to look at the next time. */
  look(now: number): boolean {
    if (this.#stale && this.#marked === this.#committed) this.#ride()
    if (this.session.closed) return false
    this.wantsMore()
    if (this.detached > 0) return this.#expires(now)
    if (this.#asked > 0 && now - this.#asked >= MOST_PATIENCE) this.#giveUp()
    else if (this.#asked === 0 && this.#flowing && this.outbox.written > 0) this.#ask()
    return this.outbox.length > 0 || this.#stale || this.detached > 0 || this.#leftFrom > 0
  }

  #expires(now: number): boolean {
    if (this.moving || now - this.detached < this.terms.timeout) return true
    this.session.close()
    return false
  }

  #giveUp(): void {
    this.session.stream?.close(new StreamError('connection-timeout', 'nothing is acknowledged'))
  }

  // On disk

  #counts(handled: number): Row {
    const requests = this.requests.upTo(handled)
    return countsRow(this.terms.number, { handled, position: this.position, requests })
  }

  /** Only the position and the requests are new: losing that costs a repetition. */
  #ride(): void {
    this.#stale = false
    this.session.host.journal.ride(COUNTS, this.#counts(this.#committed))
  }

  changed(): void {
    // It may be owed older messages from now on: its position goes back, and must do so on disk.
    this.#stale = true
    if (this.#unsaved) return
    this.#unsaved = true
    // Once for all that one stanza changes, and in the group of its count.
    queueMicrotask(() => {
      if (this.#unsaved && !this.session.closed) this.save()
    })
  }

  save(ended = 0): void {
    this.#unsaved = false
    this.#version++
    const { journal, server } = this.session.host
    const entry = journal.entry()
    entry.put(SESSIONS, this.row(ended))
    if (this.#stale) entry.put(COUNTS, this.#counts(this.#committed))
    // The next change writes all of it again.
    server.pending(journal.commit(entry).catch(() => undefined))
  }

  row(ended = 0): Row {
    const { number, id, created, timeout } = this.terms
    const { number: account, resource } = this.session
    const row: SessionRow = {
      number,
      version: this.#version,
      id,
      account,
      life: this.#registry.life,
      resource,
      created,
      timeout,
      detached: this.detached,
      ended,
      state: ended > 0 ? '' : this.#registry.stateOf(this.session),
      owed: ended === 0 && this.detached > 0 ? this.#writeDown() : '',
    }
    return { ...row }
  }

  #writeDown(): string {
    const { behind } = this.session
    const read = behind && behind.after < Number.MAX_SAFE_INTEGER ? behind.after : undefined
    const acknowledged = this.#acknowledged
    return writeDown(this.outbox, { acknowledged, position: this.#position, read })
  }
}

/** What a client says that it has. */
export function countOf(text: unknown): number {
  const h = readCount(text)
  if (h === undefined) throw new StreamError('policy-violation', 'h is no count')
  return h
}

/** RFC 6120 §4.9.1.1: the client says that something it got is an error. */
function isRejection(error: Error | undefined): boolean {
  return error instanceof StreamError && error.condition === 'bad-format'
}

/** Its counts and ours have nothing to do with each other any more. */
function isMisuse(error: Error): boolean {
  return error instanceof StreamError && error.condition === 'undefined-condition'
}
