// The other nodes as this one sees them: a stanza for a session of theirs, a message that their sessions are
// to be shown, and what they send for ours. The directory may be wrong about who is where; here it learns so.

import type { Bus } from '../cluster/bus.js'
import type { Members } from '../cluster/cluster.js'
import type { Place } from '../cluster/directory.js'
import type { Envelope } from '../xmpp/envelope.js'
import { StanzaError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import type { Stanza } from '../xmpp/stanza.js'
import type { LoggedMessage } from '../storage/logged-message.js'
import { encodeLogged, encodeStanza, readFrame } from './frame.js'
import type { Server } from './server.js'
import type { Session } from './session.js'

/** LIM-behind: frames of a node that wait; beyond it they do not. */
const MOST_BEHIND = 10_000

export class Neighbours {
  readonly #server: Server
  readonly #bus: Bus
  readonly #members: Members
  /** What nodes said since something that has to wait */
  readonly #behind = new Map<string, Buffer[]>()

  constructor(server: Server, bus: Bus, members: Members) {
    this.#server = server
    this.#bus = bus
    this.#members = members
    bus.onFrame((from, frame) => this.#receive(from, frame))
  }

  /** Whether its node was there. */
  write(place: Place, envelope: Envelope): boolean | Promise<boolean> {
    return this.#bus.send(place.node, encodeStanza(place.id, envelope))
  }

  /** Whether a place on another node is one that hears of messages in the log. */
  isThere({ node }: Place): boolean {
    return this.#members.lifeOf(node) !== undefined
  }

  /** Has every other node that has sessions of its accounts show it to them. */
  tell(message: LoggedMessage): void {
    if (this.#members.size > 1) this.#tell(message, this.#concerned(message))
  }

  #tell(message: LoggedMessage, nodes: readonly string[]): void {
    if (nodes.length === 0) return
    const frame = encodeLogged(message)
    for (const node of nodes) {
      const sent = this.#bus.send(node, frame)
      // Who does not get it reads it in the log.
      if (sent instanceof Promise) sent.catch((error) => this.#server.failed('bus', error))
    }
  }

  #concerned({ lives, sender, recipient, from, to }: LoggedMessage): readonly string[] {
    const { self } = this.#members
    const others = this.#members.all().filter(({ life }) => life !== self.life)
    const told = others.filter(({ life }) => !lives || lives.includes(life))
    const nodes = new Set(told.map(({ node }) => node))
    const accounts = [sender && from, recipient && to].flatMap((jid) => jid?.bare.text ?? [])
    const { directory } = this.#server
    const known = accounts.flatMap((account) => directory.remembered(account) ?? [])
    // What the directory did not know of.
    if (lives && told.some(({ node }) => !known.some((place) => place.node === node)))
      for (const account of accounts) directory.doubt(account)
    for (const { node } of known) nodes.add(node)
    nodes.delete(self.node)
    return [...nodes]
  }

  /** What a node says after something that has to wait waits too, up to a bound. */
  #receive(from: string, bytes: Buffer): void {
    const behind = this.#behind.get(from)
    if (behind && behind.length < MOST_BEHIND) {
      behind.push(bytes)
      return
    }
    const wait = this.#handle(from, bytes)
    if (wait) void this.#hold(from, wait)
  }

  async #hold(from: string, wait: Promise<void>): Promise<void> {
    const behind: Buffer[] = []
    this.#behind.set(from, behind)
    await wait
    for (let next = behind.shift(); next; next = behind.shift()) await this.#handle(from, next)
    this.#behind.delete(from)
  }

  // Whatever is wrong with a frame harms nobody else.
  #handle(from: string, bytes: Buffer): Promise<void> | undefined {
    try {
      if (this.#server.talk.take(from, bytes)) return undefined
      const frame = readFrame(bytes)
      if ('recorded' in frame) {
        this.#heardOf(from, { from: Jid.parse(frame.recorded.from) })
        return this.#server.showing.told(frame.recorded)
      }
      this.#take(from, frame)
    } catch (error) {
      this.#server.failed('bus', error)
    }
    return undefined
  }

  #take(node: string, { session: id, envelope }: { session: string; envelope: Envelope }): void {
    this.#heardOf(node, envelope)
    const session = this.#session(id)
    // The directory is Redis's word: an id of somebody else is nobody's.
    const meant = session?.account.equals(envelope.to.bare) ? session : undefined
    if (!meant?.write(envelope)) this.#notThere(id, envelope)
  }

  /** Whoever sends something is there, and may have been elsewhere before, or away. */
  #heardOf(node: string, { from, stanza }: { from: Jid; stanza?: Stanza }): void {
    if (from.local === '' || !this.#server.hosts.has(from.domain)) return
    const { directory } = this.#server
    const account = from.bare.text
    const known = directory
      .remembered(account)
      ?.find((place) => place.resource === from.resource && place.node === node)
    if (!known || (stanza && tellsOther(stanza, known))) directory.doubt(account)
  }

  #session(id: string): Session | undefined {
    for (const host of this.#server.hosts.values()) {
      const session = host.sessions.byId(id)
      if (session) return session
    }
    return undefined
  }

  /** The directory learns it, and who waits for an answer is told (RFC 6120 §8.2.3). */
  #notThere(id: string, envelope: Envelope): void {
    const { directory, router } = this.#server
    const removed = directory.remove(envelope.to.bare.text, id)
    if (removed)
      this.#server.pending(removed.catch((error) => this.#server.failed('directory', error)))
    if (envelope.stanza.kind === 'iq')
      router.refuse(envelope, new StanzaError('service-unavailable'))
  }
}

function tellsOther({ kind, type }: Stanza, { available }: Place): boolean {
  return (
    kind === 'presence' && (type === '' || type === 'unavailable') && available !== (type === '')
  )
}
