// Takes what a room says to its visitors: to sessions of this node at once, to those of another node in one
// frame, to those of other servers by the router. The order in which it is called is the order in which each
// visitor gets it.

import type { Host } from '../../lib/core/host.js'
import type { Wire } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import type { Visitor } from './occupants.js'

/** What one node is told for sessions of its own */
type Frame = readonly [from: string, arrived: number, text: Wire, to: readonly string[]]

export class FanOut {
  readonly #host: Host
  readonly #topic: string
  readonly #ends: () => void

  constructor(host: Host) {
    this.#host = host
    this.#topic = `rooms ${host.domain}`
    this.#ends = host.server.talk.on(this.#topic, (frame) => this.#heard(frame as Frame))
  }

  close(): void {
    this.#ends()
  }

  /** The same for each of them; `from` is the room or somebody in it. */
  send(stanza: Stanza, from: Jid, visitors: Iterable<Visitor>): void {
    const arrived = this.#host.clock.now()
    const self = this.#host.server.node
    let elsewhere: Map<string, string[]> | undefined
    for (const { jid, node } of visitors) {
      if (node === self)
        this.#write(new Envelope({ stanza, from, to: jid, origin: 'local', arrived }))
      else if (node === '') this.#host.router.send(stanza, { from, to: jid })
      else {
        elsewhere ??= new Map()
        const there = elsewhere.get(node)
        if (there) there.push(jid.text)
        else elsewhere.set(node, [jid.text])
      }
    }
    if (elsewhere) this.#tell(stanza, { from, arrived }, elsewhere)
  }

  #tell(
    stanza: Stanza,
    { from, arrived }: { from: Jid; arrived: number },
    elsewhere: ReadonlyMap<string, string[]>,
  ): void {
    const text = stanza.render('', '')
    for (const [node, to] of elsewhere) {
      const frame: Frame = [from.text, arrived, text, to]
      this.#host.server.talk.tell(this.#topic, frame, node)
    }
  }

  #heard([from, arrived, text, to]: Frame): void {
    const stanza = Stanza.parse(text)
    const sender = Jid.parse(from)
    for (const address of to) {
      const envelope = {
        stanza,
        from: sender,
        to: Jid.parse(address),
        origin: 'local',
        arrived,
      } as const
      this.#write(new Envelope(envelope))
    }
  }

  /** Whoever is not there any more has said so, or somebody does for him. */
  #write(envelope: Envelope): void {
    const { to } = envelope
    this.#host.server.hosts.get(to.domain)?.sessions.find(to)?.write(envelope)
  }
}
