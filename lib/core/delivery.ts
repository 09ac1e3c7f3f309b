// Which sessions get a stanza: RFC 6121 §8.5, cell by cell. It runs after the commit; where no session
// takes a message the modules are asked (`message:undelivered`), and if nobody keeps it the sender is
// told. Sessions of other nodes are reached over the bus.

import type { Envelope } from '../xmpp/envelope.js'
import { StanzaError } from '../xmpp/errors.js'
import type { Jid } from '../xmpp/jid.js'
import { isSignal } from '../xmpp/message-traits.js'
import type { Place } from '../cluster/directory.js'
import type { Host } from './host.js'
import { handled } from './pipeline.js'
import { Session } from './session.js'
import { Transit } from './transit.js'

type Later = Promise<void> | undefined

/** `then` runs in the same turn as the last of it: what is delivered after this must not come before that. */
export function deliver(
  host: Host,
  envelope: Envelope,
  transit: Transit,
  then: () => undefined = nothing,
): Later {
  if (envelope.to.isDomain || envelope.to.local === '') {
    toHostItself(envelope)
    return then()
  }
  const places = transit.here
    ? host.sessions.of(envelope.to.bare)
    : placesOf(host, envelope.to, envelope.logId)
  if (!(places instanceof Promise)) return toAll(host, envelope, { transit, places }, then)
  return places.then((found) => toAll(host, envelope, { transit, places: found }, then))
}

/** Nothing that is in the log waits here for the directory: other nodes show it to their sessions themselves. */
export function placesOf(
  { server, sessions }: Host,
  { bare }: Jid,
  logId: number,
): readonly Place[] | Promise<readonly Place[]> {
  const { directory, whereabouts, node: self } = server
  if (logId === 0 || !whereabouts) return directory.lookup(bare.text)
  const elsewhere = directory.remembered(bare.text)?.filter(({ node }) => node !== self) ?? []
  return [...sessions.of(bare), ...elsewhere]
}

function toAll(host: Host, envelope: Envelope, to: Destination, then: () => undefined): Later {
  const later = toPlaces(host, envelope, to)
  return later ? later.then(then) : then()
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
    // §8.5.3.2.1: chat goes on as if it were for the account, the rest does not.
    const otherwise = () => (type === 'chat' ? toAccount(host, envelope, to) : unmatched(envelope))
    return write(host, envelope, { ...to, places: place ? [place] : [] }, otherwise)
  }
  if (type === 'groupchat') throw new StanzaError('service-unavailable')
  if (type === 'error') return undefined
  return toAccount(host, envelope, to)
}

/** §8.5.2.1.1: every resource that wants messages gets it: chat and normal too, so no device misses any. */
function toAccount(host: Host, envelope: Envelope, to: Destination): Later {
  return write(host, envelope, { ...to, places: wanting(to.places) }, () =>
    envelope.stanza.type === 'headline' ? undefined : undelivered(host, envelope, to.transit),
  )
}

/**
 * §8.5.3.2.1 leaves the choice between silence and an error: never silence, save where it says so, or
 * where the message is in the log of its recipient, who reads it there.
 */
function unmatched({ stanza, logId }: Envelope): undefined {
  if (logId > 0 || stanza.type === 'error' || stanza.type === 'headline' || isSignal(stanza))
    return undefined
  throw new StanzaError('service-unavailable')
}

function presence(host: Host, envelope: Envelope, to: Destination): Later {
  if (envelope.to.resource !== '') {
    // §8.5.3.1, §8.5.3.2.2
    const place = match(to.places, envelope.to.resource)
    return place && write(host, envelope, { ...to, places: [place] }, nothing)
  }
  // §8.5.2.1.2: subscriptions and the like are the roster's; what is left goes to who is available.
  const places = to.places.filter((place) => place.available)
  return write(host, envelope, { ...to, places }, nothing)
}

function nothing(): undefined {
  return undefined
}

function iq(host: Host, envelope: Envelope, to: Destination): Later {
  const place = match(to.places, envelope.to.resource)
  return write(host, envelope, { ...to, places: place ? [place] : [] }, () => {
    // §8.5.3.2.3; an answer that nobody waits for is dropped.
    const { type } = envelope.stanza
    if (type === 'result' || type === 'error') return undefined
    throw new StanzaError('service-unavailable')
  })
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

/** A place may be stale, its stream or its node gone: `otherwise` where none of them took it. */
function write(host: Host, envelope: Envelope, to: Destination, otherwise: () => Later): Later {
  const { server } = host
  const { delivered } = to.transit
  let elsewhere: Promise<void>[] | undefined
  for (const place of to.places) {
    // A directory in memory holds the sessions themselves, those of other nodes too.
    if (place instanceof Session && place.host.server === server) {
      if (place.write(envelope)) delivered.push(place.jid)
    } else if (envelope.logId === 0) (elsewhere ??= []).push(send(host, envelope, { ...to, place }))
    // Its node was told of the message as such (neighbours.ts).
    else if (server.neighbours.isThere(place)) delivered.push(jidOf(place, envelope))
  }
  if (elsewhere)
    return Promise.all(elsewhere).then(() => (delivered.length > 0 ? undefined : otherwise()))
  return delivered.length > 0 ? undefined : otherwise()
}

function jidOf({ resource }: Place, { to }: Envelope): Jid {
  return to.bare.withResource(resource)
}

async function send(
  host: Host,
  envelope: Envelope,
  { transit, place }: Destination & { place: Place },
): Promise<void> {
  try {
    if (await host.server.writeElsewhere(place, envelope))
      transit.delivered.push(jidOf(place, envelope))
  } catch (error) {
    host.failed('bus', error)
  }
}

/** §8.5.2.2.1: nobody takes it. Who keeps it says `handled`; else the sender gets an error. */
function undelivered(host: Host, envelope: Envelope, transit: Transit): Later {
  const { pipeline } = host
  if (pipeline.has('message:undelivered'))
    return keep(host, envelope, new Transit(host, transit.session))
  return leftAlone(envelope)
}

/** In the log of its recipient it waits for whoever comes back. */
function leftAlone({ stanza, logId }: Envelope): undefined {
  if (logId === 0 && !isSignal(stanza)) throw new StanzaError('service-unavailable')
  return undefined
}

async function keep(host: Host, envelope: Envelope, transit: Transit): Promise<void> {
  const passage = transit.passage(envelope.to.bare)
  const prepared = await host.pipeline.prepare('message:undelivered', envelope, passage)
  await transit.commit()
  if (prepared === handled) return
  const taken = await host.pipeline.deliver('message:undelivered', prepared, passage)
  const copied = host.pipeline.copy('message:undelivered', prepared, passage, (owner, error) =>
    host.failed(owner, error),
  )
  host.server.pending(copied)
  if (taken !== handled) leftAlone(envelope)
}
