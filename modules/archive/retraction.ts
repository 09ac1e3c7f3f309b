// Retractions (XEP-0424): what its author takes back is no longer in any archive of ours; a tombstone
// stands in its place. The retraction is kept as a message of its own. The tombstone is on disk before
// the retraction goes to disk, and so before anybody is told that it was accepted.

import type { Host } from '../../lib/core/host.js'
import { isCalled } from '../../lib/storage/called.js'
import { INCOMING, OUTGOING, RETRACTED } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { isTrouble } from '../../lib/storage/trouble.js'
import { stampOf } from '../../lib/xmpp/delay.js'
import { escapeXml, fromWire, toWire } from '../../lib/xmpp/element.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { hash53 } from '../../lib/xmpp/hash53.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_RETRACTION } from '../../lib/xmpp/message-children.js'
import { referredId } from '../../lib/xmpp/message-references.js'
import { trait } from '../../lib/xmpp/message-traits.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

/** The id of what this message takes back; undefined for all others. */
export function retracts({ stanza }: Envelope): string | undefined {
  if ((stanza.traits & trait.retraction) === 0) return undefined
  const reference = referredId(stanza)
  return reference?.kind === 'retraction' ? reference.id : undefined
}

export class Retractions {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  /** Of a message that this account sent. */
  sent(envelope: Envelope, id: string): Promise<void> {
    return this.#retract(envelope, id, { account: envelope.from.bare, direction: OUTGOING })
  }

  /** Of a message that this account received. */
  received(envelope: Envelope, id: string): Promise<void> {
    return this.#retract(envelope, id, { account: envelope.to.bare, direction: INCOMING })
  }

  async #retract(
    envelope: Envelope,
    id: string,
    { account, direction }: { account: Jid; direction: number },
  ): Promise<void> {
    // XEP-0424 §4: the tombstone names the retraction.
    if (envelope.stanza.id === '') return
    const { journal, messages } = this.#host
    const owner = await this.#host.numberOf(account)
    // What the same stream sent just before may still be on its way to the disk.
    await journal.settled()
    const peer = direction === OUTGOING ? envelope.to.bare : envelope.from.bare
    const found = await messages.labelled({ owner, peer, label: hash53(id) })
    const meant = found.find((logged) => isMeant(logged, envelope.from, id))
    if (meant && (meant.flags & RETRACTED) === 0)
      await this.#replace(meant.id, tombstone(meant, envelope.stanza.id, this.#host.clock.now()))
  }

  async #replace(id: number, text: string): Promise<void> {
    try {
      await this.#host.messages.replace(id, text)
    } catch (error) {
      throw isTrouble(error) ? new StanzaError('resource-constraint') : error
    }
  }
}

/**
 * XEP-0424 §5: only what the same bare address sent (SEC-56); a retraction itself stays. Where several
 * have the same id the newest is meant, and no other when that one is gone.
 */
function isMeant({ from, text }: Logged, author: Jid, id: string): boolean {
  if (!Jid.parse(from).bare.equals(author.bare)) return false
  const stanza = Stanza.parse(toWire(text))
  if (stanza.traits & (trait.retraction | trait.error)) return false
  return isCalled(stanza, id)
}

/** XEP-0424 §4: the attributes of the message, and nothing of what it said. */
function tombstone({ text }: Logged, retraction: string, now: number): string {
  const { type, id } = Stanza.parse(toWire(text))
  const kept = new Stanza({
    kind: 'message',
    type,
    id,
    to: undefined,
    from: undefined,
    lang: '',
    attributes: '',
    content: '',
    children: [],
  })
  const by = toWire(escapeXml(retraction))
  const said = `<retracted xmlns='${NS_RETRACTION}' stamp='${stampOf(now)}' id='${by}'/>`
  return fromWire(kept.with({ type, id }).render('', '', said))
}
