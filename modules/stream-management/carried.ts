// Stanzas that are in no log and go with their session to another node: written into its row, so that
// whichever node makes it again has them.

import type { Wire } from '../../lib/xmpp/element.js'
import { Envelope, type Origin } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

/** LIM-carried: characters of stanzas that one session takes along; the rest is left behind. */
const MOST = 1024 * 1024

/** Where it stands among all that the session takes along, and what it is */
export type Carried = readonly [
  place: number,
  from: string,
  to: string,
  arrived: number,
  origin: Origin,
  text: Wire,
  said: number,
]

export class Carrying {
  readonly stanzas: Carried[] = []
  #size = 0

  add(place: number, { stanza, from, to, arrived, origin, said, annotations }: Envelope): void {
    const text = stanza.render('', '', annotations)
    this.#size += text.length
    if (this.#size <= MOST)
      this.stanzas.push([place, from.text, to.text, arrived, origin, text, said])
  }
}

export function envelopeIn([, from, to, arrived, origin, text, said]: Carried): Envelope {
  const stanza = Stanza.parse(text)
  return new Envelope({ stanza, from: Jid.parse(from), to: Jid.parse(to), arrived, origin, said })
}
