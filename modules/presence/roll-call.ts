// One presence stanza for many contacts, told to all nodes at once: each has it go to those that have sessions
// there. Nobody needs to know beforehand where they are. Where there are more nodes than contacts it is cheaper
// to ask the directory about each of these.

import type { Host } from '../../lib/core/host.js'
import type { Wire } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

export const ROLL = 'presence for contacts'

/** So many nodes hear of contacts who are not there; in larger clusters only those that are concerned. */
const MOST_NODES = 16

/** JSON of what one node tells the others */
export interface Roll {
  readonly stanza: Wire
  readonly from: string
  readonly arrived: number
  readonly contacts: readonly string[]
}

export class RollCall {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  suits(contacts: readonly Jid[]): boolean {
    const { size } = this.#host.server.members
    return size > 1 && size <= MOST_NODES && contacts.length >= size - 1
  }

  say(stanza: Stanza, from: Jid, contacts: readonly Jid[]): void {
    const arrived = this.#host.clock.now()
    const texts = contacts.map(({ text }) => text)
    const roll: Roll = {
      stanza: stanza.render('', ''),
      from: from.text,
      arrived,
      contacts: texts,
    }
    this.#host.tellOthers(ROLL, roll)
    this.#give(new Envelope({ stanza, from, to: from, origin: 'local', arrived }), contacts)
  }

  /** From another node */
  heard({ stanza: text, from: sender, arrived, contacts }: Roll): void {
    const [stanza, from] = [Stanza.parse(text), Jid.parse(sender)]
    if (stanza.type !== 'probe') this.#learn(from, stanza.type === '')
    const first = new Envelope({ stanza, from, to: from, origin: 'local', arrived })
    this.#give(first, contacts.map(Jid.parse))
  }

  #give(envelope: Envelope, contacts: readonly Jid[]): void {
    const { hosts, router } = this.#host.server
    for (const to of contacts) {
      const sessions = hosts.get(to.domain)?.sessions.of(to) ?? []
      if (sessions.some(({ available }) => available))
        router.receive(envelope.with({ to }), { here: true })
    }
  }

  /** It may be unknown here that it has come or gone. */
  #learn({ bare, resource }: Jid, available: boolean): void {
    const { directory } = this.#host.server
    const known = directory.remembered(bare.text)?.find((place) => place.resource === resource)
    if (known?.available !== available) directory.doubt(bare.text)
  }
}
