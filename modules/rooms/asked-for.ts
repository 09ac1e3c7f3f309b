// What somebody has asked a room for, in more stanzas than one: to the very session, beside what the room says to
// everybody, which may have to wait for its turn. So the answer that ends it, which takes the same way as the
// question, comes last.

import type { Host } from '../../lib/core/host.js'
import type { Wire } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

type Frame = readonly [from: string, text: Wire, to: string]

export class AskedFor {
  readonly #host: Host
  readonly #topic: string
  readonly #ends: () => void

  constructor(host: Host) {
    this.#host = host
    this.#topic = `rooms asked ${host.domain}`
    this.#ends = host.server.talk.on(this.#topic, (frame) => this.#heard(frame as Frame))
  }

  close(): void {
    this.#ends()
  }

  /** `node` as in a visit: '' for another server's */
  send(stanza: Stanza, { from, to, node }: { from: Jid; to: Jid; node: string }): void {
    const { server, router } = this.#host
    if (node === '') void router.send(stanza, { from, to })
    else if (node === server.node) this.#write(stanza, from, to)
    else {
      const frame: Frame = [from.text, stanza.render('', ''), to.text]
      server.talk.tell(this.#topic, frame, node)
    }
  }

  #heard([from, text, to]: Frame): void {
    this.#write(Stanza.parse(text), Jid.parse(from), Jid.parse(to))
  }

  /** Who has gone meanwhile needs it no more. */
  #write(stanza: Stanza, from: Jid, to: Jid): void {
    const { server, clock } = this.#host
    const session = server.hosts.get(to.domain)?.sessions.find(to)
    session?.write(new Envelope({ stanza, from, to, origin: 'local', arrived: clock.now() }))
  }
}
