// The end of an envelope's way: what it left behind is on disk, and it is delivered and copied. A message with a
// number in the log goes to sessions of this node; the other nodes show it to theirs (neighbours.ts).

import { INCOMING } from '../storage/logged-message.js'
import type { Envelope } from '../xmpp/envelope.js'
import { deliver } from './delivery.js'
import type { Host } from './host.js'
import { handled } from './pipeline.js'
import { copy, receivedHook, receivedSide, sentSide } from './sides.js'
import { Transit } from './transit.js'

type Later = Promise<void> | void | undefined

/** What has a number is shown with it, unless the log was read and it is shown already. */
export function arriveLogged(envelope: Envelope, host: Host, transit: Transit): Later {
  const { logged } = transit
  const shown = logged !== undefined && !host.server.showing.claim(logged.id)
  // Where it was found in the log, those in whose log it is have it, and nobody else.
  if (!logged?.recipient)
    return arrive(envelope, host, shown ? new Transit(host, undefined) : transit)
  if (shown) return undefined
  const numbered = envelope.with({ logId: logged.id })
  return arrive(host.labelled(numbered, logged.recipient.flags), host, transit)
}

export function arrive(envelope: Envelope, host: Host, transit: Transit): Later {
  const hook = receivedHook[envelope.stanza.kind]
  if (!host.pipeline.has(hook)) return place(envelope, host, transit)
  const passage = transit.passage(envelope.to.bare, INCOMING)
  const taken = host.pipeline.deliver(hook, envelope, passage)
  if (taken instanceof Promise) {
    return taken.then((result) => (result === handled ? undefined : place(envelope, host, transit)))
  }
  return taken === handled ? undefined : place(envelope, host, transit)
}

function place(envelope: Envelope, host: Host, transit: Transit): Later {
  try {
    const later = deliver(host, envelope, transit, () => {
      copy(host, receivedSide(envelope.to.bare), envelope, transit)
      return copySent(envelope, transit)
    })
    return later?.catch((error) => undeliverable(envelope, transit, error))
  } catch (error) {
    return undeliverable(envelope, transit, error)
  }
}

export function copySent(envelope: Envelope, transit: Transit): undefined {
  // What only the recipient is shown is not part of what was sent.
  if (transit.session)
    copy(transit.host, sentSide(envelope.from.bare), envelope.unlabelled, transit)
  return undefined
}

/** It was sent all the same: who is shown a copy is shown the error too. */
function undeliverable(envelope: Envelope, transit: Transit, error: unknown): never {
  copySent(envelope, transit)
  throw error
}
