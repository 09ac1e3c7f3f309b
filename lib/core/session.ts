// One bound address with an inbox (lane.ts keeps its order) and an outlet, which writes to whatever
// stream is attached. The session outlives its stream: where somebody keeps it (keeper.ts), another
// stream may take it up.

import { toWire } from '../xmpp/element.js'
import { Envelope } from '../xmpp/envelope.js'
import { StanzaError, type StreamCondition, StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { NS_CLIENT } from '../xmpp/namespaces.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { Brief } from '../net/xml-unit.js'
import type { Place } from '../cluster/directory.js'
import type { ClientStream } from '../streams/client-stream.js'
import { HELD_BY_SESSION } from '../streams/flow.js'
import type { BoundSession } from '../streams/surroundings.js'
import type { Bound } from './binding.js'
import type { CatchUp } from './catch-up.js'
import type { Host } from './host.js'
import type { Keeper } from './keeper.js'
import { Lane } from './lane.js'
import { LogPosition } from './log-position.js'
import { type Handled, handled } from './pipeline.js'
import { Transit } from './transit.js'
import { WritePassage } from './write-passage.js'

const WIRE_CLIENT = toWire(NS_CLIENT)

function synchronous<T>(result: T | Promise<T>): T {
  if (!(result instanceof Promise)) return result
  result.catch(() => undefined)
  throw new Error('session:write must be synchronous')
}

/** Who is put out for one of these is not heard further: what waits is dropped. */
const PUT_OUT = new Set<StreamCondition>(['invalid-from', 'not-authorized', 'policy-violation'])

export class Session implements BoundSession, Place {
  readonly id: string
  readonly host: Host
  readonly jid: Jid
  readonly account: Jid
  readonly number: number
  readonly node: string
  readonly bound: number
  /** The last available presence it broadcast; undefined while it is unavailable. */
  presence: Envelope | undefined
  priority = 0
  /** Asked for its roster, so it is pushed changes (RFC 6121 §2.1.6). */
  interested = false
  /** Set while this session may be resumed: it counts what came and keeps what must not be lost. */
  keeper: Keeper | undefined
  /** Set while what it missed comes from the log. */
  behind: CatchUp | undefined
  readonly position: LogPosition
  /** What modules remember of this session, keyed by a symbol of their own. */
  readonly memo = new Map<symbol, unknown>()
  #stream: ClientStream | undefined
  /** What it sent, in order */
  readonly lane: Lane
  readonly #passage = new WritePassage(this)
  /** Whom it wrote to last: mostly whom it writes to next */
  #peer: Jid | undefined
  #closed = false
  #ending = false
  #leaving = false

  constructor(host: Host, stream: ClientStream | undefined, bound: Bound) {
    this.id = host.random.id()
    this.host = host
    this.jid = bound.jid
    this.account = bound.jid.bare
    this.number = bound.number
    this.position = new LogPosition(bound.newest)
    this.node = host.server.node
    this.bound = host.clock.now()
    this.#stream = stream
    this.lane = new Lane(this)
  }

  get resource(): string {
    return this.jid.resource
  }

  get available(): boolean {
    return this.presence !== undefined
  }

  get stream(): ClientStream | undefined {
    return this.#stream
  }

  get closed(): boolean {
    return this.#closed
  }

  /** It ends as soon as what it sent is done. */
  get leaving(): boolean {
    return this.#leaving
  }

  /** The counting begins here, or goes on where it ended. */
  keep(keeper: Keeper, received: number): void {
    this.keeper = keeper
    this.lane.countFrom(received)
  }

  /** What the keeper's row has of modules is out of date. */
  changed(): void {
    this.keeper?.changed()
  }

  // Inbox

  receive(stanza: Stanza): void {
    if (!this.#closed) this.lane.receive(stanza)
  }

  told(brief: Brief): boolean {
    return this.keeper?.told(brief) === true
  }

  /** Resolves when everything received so far is decided, answered and on disk; at once where it is. */
  drained(): Promise<void> | undefined {
    return this.lane.drained()
  }

  /** For the lane, whose turn it is. */
  decide(stanza: Stanza, count: number): Promise<void> | void {
    const envelope = this.#envelope(stanza)
    if (envelope) return this.host.router.submit(envelope, this, count)
    if (count > 0) this.lane.handled(new Transit(this.host, this, count))
  }

  /** For the lane: everything that came is done. */
  rested(): void {
    if (this.#leaving) this.host.sessions.remove(this)
  }

  #envelope(stanza: Stanza): Envelope | undefined {
    // RFC 6120 §8.1.2.1: `from` may name this resource or its account, nobody else.
    if (stanza.from !== undefined && !this.#isOurs(stanza.from)) {
      this.close(new StreamError('invalid-from'))
      return undefined
    }
    const known = this.#peer?.text === stanza.to ? this.#peer : undefined
    const to = stanza.to === undefined ? this.account : (known ?? Jid.tryParse(stanza.to))
    this.#peer = to
    if (!to) {
      this.#refuse(stanza, new StanzaError('jid-malformed'))
      return undefined
    }
    return new Envelope({
      stanza,
      from: this.jid,
      to,
      origin: 'client',
      arrived: this.host.clock.now(),
      addressed: stanza.to !== undefined,
    })
  }

  #isOurs(from: string): boolean {
    const jid = Jid.tryParse(from)
    return jid !== undefined && (jid.isBare ? jid.equals(this.account) : jid.equals(this.jid))
  }

  #refuse(stanza: Stanza, error: StanzaError): void {
    const envelope = new Envelope({
      stanza,
      from: this.jid,
      to: this.account,
      origin: 'client',
      arrived: this.host.clock.now(),
    })
    this.host.router.refuse(envelope, error)
  }

  // Outlet

  /** Whether it took it: a session whose stream is gone takes nothing, unless it may be resumed. */
  write(envelope: Envelope): boolean {
    if (this.#closed || !(this.#stream || this.keeper)) return false
    if (this.comesLater(envelope)) return true
    const prepared = this.#prepare(envelope)
    if (prepared !== handled) this.put(prepared)
    return true
  }

  /** Whether it is not to be written now: it comes by the log, or came already. */
  comesLater(envelope: Envelope): boolean {
    const { behind } = this
    const { logId } = envelope
    if (logId === 0) return behind?.holds(envelope) ?? false
    const live = !behind || behind.passed(logId)
    if (live && this.position.has(logId)) return true
    this.#owe(envelope)
    if (!live) behind.missed(logId)
    return !live
  }

  /** RFC 6121 §8.5.3.1: what is for this resource alone no other one takes for it. */
  #owe({ logId, to, from }: Envelope): void {
    if (to.resource !== this.resource || from.equals(this.account)) return
    this.host.server.taken.owe(this.number, logId, this.resource)
  }

  /** After `session:write`, and for what was held back there. */
  put(envelope: Envelope): void {
    if (envelope.logId > 0) {
      this.#owe(envelope)
      this.position.sent(envelope.logId)
    }
    if (this.keeper) this.keeper.write(envelope)
    else this.send(envelope)
  }

  /** To the stream as it is, if there is one. */
  send(envelope: Envelope): void {
    const stream = this.#stream
    if (!stream) return
    stream.write(stream.framing === 'message' ? envelope.wireFor(WIRE_CLIENT) : envelope.wire)
    if (envelope.logId === 0) return
    // Nobody will tell whether it arrived: written is as much as can be known.
    if (!this.keeper) this.took(envelope.logId)
    else this.#owe(envelope)
  }

  /** A logged message has reached the client, as far as can be known. */
  took(id: number): void {
    this.had(id)
    if (this.position.inTurn(id)) this.host.server.taken.advance(this.number, id)
  }

  /** The same for one of several; the last of them moves the cursor. */
  had(id: number): void {
    const { taken } = this.host.server
    if (taken.had(this.number, id) && !this.position.inTurn(id)) taken.tookApart(this.number, id)
  }

  // Order on a stream is the order of writing: nothing may wait here. What breaks is this session's
  // affair: it is not shown the stanza, other sessions are, and the sender hears nothing of it.
  #prepare(envelope: Envelope): Envelope | Handled {
    try {
      return synchronous(this.host.pipeline.write(envelope, this.#passage))
    } catch (error) {
      if (!(error instanceof StanzaError)) this.host.failed('session:write', error)
      return handled
    }
  }

  // Streams come and go

  /** RFC 6120 §4.4: what was received whole is still processed, then the session is gone. */
  detached(stream: ClientStream, error: Error | undefined): void {
    if (this.#stream !== stream) return
    this.#stream = undefined
    this.host.server.pending(this.host.events.emit('session:detached', { session: this }))
    if (this.#ending || !this.keeper?.lingers(error)) this.#leave()
  }

  /** Another stream carries it on; the one it had, if any, is told so. */
  attach(stream: ClientStream): void {
    const old = this.#stream
    this.#stream = stream
    old?.close(new StreamError('conflict', 'the session was resumed elsewhere'))
    if (this.lane.busy) stream.flow.hold(HELD_BY_SESSION)
    stream.adopt(this)
  }

  /** Ends the session and its stream; with an error the client is told why. */
  close(error?: StreamError): void {
    if (this.#closed) return
    if (error && PUT_OUT.has(error.condition)) this.lane.drop()
    this.#ending = true
    const stream = this.#stream
    if (stream) stream.close(error)
    // A stream whose bind is under way does not know us yet.
    if (this.#stream === stream) this.#leave()
  }

  #leave(): void {
    this.#stream = undefined
    this.#leaving = true
    if (this.lane.idle) this.host.sessions.remove(this)
  }

  /** For the list of sessions, when no route leads here any more; it may go on on another node. */
  ended(moved: boolean): void {
    this.#closed = true
    this.lane.drop()
    this.behind = undefined
    if (moved) this.keeper?.moved()
    else this.keeper?.ended()
  }
}
