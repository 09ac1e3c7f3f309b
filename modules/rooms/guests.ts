// Sessions of this node that are in rooms, wherever those are owned: what their owners say is written to them
// here.

import type { Host } from '../../lib/core/host.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Said, Tenure } from './fan-out.js'

export class Guests {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  /** An owner says something to these addresses. */
  told(_tenure: Tenure, { stanza, from, arrived }: Said, to: readonly string[]): void {
    for (const address of to) {
      const jid = Jid.parse(address)
      this.#write(new Envelope({ stanza, from, to: jid, origin: 'local', arrived }))
    }
  }

  /** Whoever is not there any more has said so, or somebody does for him. */
  #write(envelope: Envelope): void {
    const { to } = envelope
    this.#host.server.hosts.get(to.domain)?.sessions.find(to)?.write(envelope)
  }
}
