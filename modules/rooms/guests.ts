// Sessions of this node that are in rooms, wherever those are owned: what their owners say is written to them
// here.

import type { Host } from '../../lib/core/host.js'
import type { Session } from '../../lib/core/session.js'
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
      // Whoever is not there any more has said so, or somebody does for him.
      const session = this.#sessionAt(address)
      session?.write(new Envelope({ stanza, from, to: session.jid, origin: 'local', arrived }))
    }
  }

  /** Of this host, or of another one that is ours */
  #sessionAt(address: string): Session | undefined {
    const session = this.#host.sessions.at(address)
    if (session) return session
    const { domain } = Jid.parse(address)
    if (domain === this.#host.domain) return undefined
    return this.#host.server.hosts.get(domain)?.sessions.at(address)
  }
}
