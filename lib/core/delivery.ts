// Which sessions get a stanza: RFC 6121 §8.5, cell by cell. It runs after the commit; where no session
// takes a message the modules are asked (`message:undelivered`), and if nobody keeps it the sender is
// told. Sessions of other nodes are reached over the bus.

import type { Envelope } from '../xmpp/envelope.js'
import { StanzaError } from '../xmpp/errors.js'
import type { Place } from '../cluster/directory.js'
import type { Host } from './host.js'
import { handled } from './pipeline.js'
import { Session } from './session.js'
import { Transit } from './transit.js'

type Later = Promise<void> | undefined

export function deliver(host: Host, envelope: Envelope, transit: Transit): Later {
  if (envelope.to.isDomain || envelope.to.local === '') return toHostItself(envelope)
  const places = host.server.directory.lookup(envelope.to.bare.text)
  if (places instanceof Promise)
    return places.then((found) => toPlaces(host, envelope, { transit, places: found }))
  return toPlaces(host, envelope, { transit, places })
}

interface Destination {
  transit: Transit
  places: readonly Place[]
}

function toHostItself(envelope: Envelope): undefined {
  // RFC 6121 §8.1: a server may answer what is sent to itself as it likes; nobody here reads it.
  if (envelope.stanza.kind !== 'presence') throw new StanzaError('service-unavailable')
  return undefined
}

function toPlaces(host: Host, envelope: Envelope, to: Destination): Later {
  switch (envelope.stanza.kind) {
    case 'message':
      return message(host, envelope, to)
    case 'presence':
      return presence(host, envelope, to)
    default:
      return iq(host, envelope, to)
  }
}

function message(host: Host, envelope: Envelope, to: Destination): Later {
  const { type } = envelope.stanza
  if (envelope.to.resource !== '') {
    const place = match(to.places, envelope.to.resource)
    // §8.5.3.1: a full address that is connected gets it, whatever its priority.
    if (place) return write(host, envelope, { transit: to.transit, places: [place] })
    // §8.5.3.2.1: chat goes on as if it were for the account, the rest does not.
    if (type !== 'chat') return unmatched(type)
  } else if (type === 'groupchat') {
    throw new StanzaError('service-unavailable')
  }
  if (type === 'error') return undefined
  // §8.5.2.1.1: every resource that wants messages gets it: chat and normal too, so no device misses any.
  const places = wanting(to.places)
  if (places.length > 0) return write(host, envelope, { transit: to.transit, places })
  if (type === 'headline') return undefined
  return undelivered(host, envelope, to.transit)
}

/** §8.5.3.2.1 leaves the choice between silence and an error: never silence, save where it says so. */
function unmatched(type: string): undefined {
  if (type === 'error' || type === 'headline') return undefined
  throw new StanzaError('service-unavailable')
}

function presence(host: Host, envelope: Envelope, to: Destination): Later {
  if (envelope.to.resource !== '') {
    // §8.5.3.1, §8.5.3.2.2
    const place = match(to.places, envelope.to.resource)
    return place && write(host, envelope, { transit: to.transit, places: [place] })
  }
  // §8.5.2.1.2: subscriptions and the like are the roster's; what is left goes to who is available.
  return write(host, envelope, {
    transit: to.transit,
    places: to.places.filter((place) => place.available),
  })
}

function iq(host: Host, envelope: Envelope, to: Destination): Later {
  const place = match(to.places, envelope.to.resource)
  if (place) return write(host, envelope, { transit: to.transit, places: [place] })
  // §8.5.3.2.3; an answer that nobody waits for is dropped.
  const { type } = envelope.stanza
  if (type === 'result' || type === 'error') return undefined
  throw new StanzaError('service-unavailable')
}

function match(places: readonly Place[], resource: string): Place | undefined {
  for (const place of places) if (place.resource === resource) return place
  return undefined
}

function wants(place: Place): boolean {
  return place.available && place.priority >= 0
}

function wanting(places: readonly Place[]): readonly Place[] {
  return places.every(wants) ? places : places.filter(wants)
}

function write(host: Host, envelope: Envelope, to: Destination): Later {
  let elsewhere: Promise<unknown>[] | undefined
  for (const place of to.places) {
    if (place instanceof Session) {
      place.write(envelope)
      to.transit.delivered.push(place.jid)
    } else {
      ;(elsewhere ??= []).push(Promise.resolve(host.server.writeElsewhere(place, envelope)))
      to.transit.delivered.push(envelope.to.bare.withResource(place.resource))
    }
  }
  return elsewhere && Promise.all(elsewhere).then(() => undefined)
}

/** §8.5.2.2.1: nobody takes it. Who keeps it says `handled`; else the sender gets an error. */
function undelivered(host: Host, envelope: Envelope, transit: Transit): Later {
  const { pipeline } = host
  if (!pipeline.has('message:undelivered')) throw new StanzaError('service-unavailable')
  return keep(host, envelope, new Transit(host, transit.session))
}

async function keep(host: Host, envelope: Envelope, transit: Transit): Promise<void> {
  const passage = transit.passage(envelope.to.bare)
  const prepared = await host.pipeline.prepare('message:undelivered', envelope, passage)
  await transit.commit()
  if (prepared === handled) return
  const taken = await host.pipeline.deliver('message:undelivered', prepared, passage)
  host.pipeline.copy('message:undelivered', prepared, passage, (owner, error) =>
    host.failed(owner, error),
  )
  if (taken !== handled) throw new StanzaError('service-unavailable')
}
