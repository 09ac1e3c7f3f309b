// What comes for a room, on its way to the node that owns it: as it is where that is this node, as text else.

import { Envelope, type Origin } from '../../../lib/xmpp/envelope.js'
import type { Wire } from '../../../lib/xmpp/element.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'

type Written = readonly [text: Wire, from: string, to: string, origin: Origin, arrived: number]

export class Caller {
  readonly envelope: Envelope
  /** Whether one of our own sessions sent it */
  readonly isOurs: boolean
  /** Whether it is in the room, as far as its node knows */
  readonly inside: boolean

  constructor(envelope: Envelope, { isOurs, inside }: { isOurs: boolean; inside: boolean }) {
    this.envelope = envelope
    this.isOurs = isOurs
    this.inside = inside
  }

  toJSON(): readonly [...Written, boolean, boolean] {
    const { stanza, from, to, origin, arrived } = this.envelope
    const { isOurs, inside } = this
    return [stanza.render('', ''), from.text, to.text, origin, arrived, isOurs, inside]
  }

  /** From this node or another one */
  static read(content: unknown): Caller {
    if (content instanceof Caller) return content
    const written = content as ReturnType<Caller['toJSON']>
    const [text, from, to, origin, arrived, isOurs, inside] = written
    const stanza = Stanza.parse(text)
    const parts = { stanza, from: Jid.parse(from), to: Jid.parse(to), origin, arrived }
    return new Caller(new Envelope(parts), { isOurs, inside })
  }
}
