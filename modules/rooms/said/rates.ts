// How fast somebody may do what everybody in a room is told of, and how fast a room may be talked in at all
// (LIM-room-rates): messages, changes of presence, nicks, invitations. Who is too fast is refused and told to
// wait; nobody else waits. Going is always allowed.

import { integer, type Values } from '../../../lib/ops/options.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Bucket, type Rate } from '../../../lib/streams/pace.js'
import type { RoomFeature, Visit } from '../feature.js'
import type { Room } from '../room.js'

const most = 100_000

export const rateOptions = {
  message_rate: integer({
    ...{ default: 10, min: 1, max: most },
    doc: 'Messages a second of one person in a room',
  }),
  room_message_rate: integer({
    ...{ default: 100, min: 1, max: most },
    doc: 'Messages a second in one room',
  }),
  presence_rate: integer({
    ...{ default: 60, min: 1, max: most },
    doc: 'Changes of presence a minute of one person in a room',
  }),
  nick_rate: integer({
    ...{ default: 10, min: 1, max: most },
    doc: 'Changes of nick a minute of one person in a room',
  }),
  invitation_rate: integer({
    ...{ default: 20, min: 1, max: most },
    doc: 'Invitations and other requests a minute of one person to a room',
  }),
}

export type RoomRates = Values<typeof rateOptions>

type Kind = 'messages' | 'presences' | 'nicks' | 'invitations'

/** Seconds of its rate that may be used at once */
const BURST = 5
/** LIM-room-rates: people of a room whose pace is remembered */
const MOST_KNOWN = 2000

class Paces {
  readonly room: Bucket
  readonly #known = new Map<string, Bucket>()

  constructor(rate: Rate, now: number) {
    this.room = new Bucket(rate, now)
  }

  of(account: Jid, kind: Kind, { rate, now }: { rate: Rate; now: number }): Bucket {
    const name = `${kind} ${account.text}`
    const bucket = this.#known.get(name) ?? new Bucket(rate, now)
    this.#known.delete(name)
    this.#known.set(name, bucket)
    if (this.#known.size > MOST_KNOWN * 4) this.#known.delete(this.#known.keys().next().value!)
    return bucket
  }
}

const key = Symbol('rates')

export function roomRates(rates: RoomRates): RoomFeature {
  const ofOne: Record<Kind, Rate> = {
    messages: perSecond(rates.message_rate),
    presences: perMinute(rates.presence_rate),
    nicks: perMinute(rates.nick_rate),
    invitations: perMinute(rates.invitation_rate),
  }
  const ofRoom = perSecond(rates.room_message_rate)
  return { name: 'rates', arrives }

  function arrives(room: Room, visit: Visit): void {
    const kind = kindOf(room, visit)
    if (kind === undefined) return
    const now = room.venue.host.clock.now()
    let paces = room.memo.get(key) as Paces | undefined
    if (!paces) room.memo.set(key, (paces = new Paces(ofRoom, now)))
    const own = paces.of(visit.envelope.from.bare, kind, { rate: ofOne[kind], now })
    if (isTooFast(own, now))
      throw new StanzaError('policy-violation', 'that is too fast for this room', { type: 'wait' })
    if (kind === 'messages' && isTooFast(paces.room, now))
      throw new StanzaError('resource-constraint', 'too much is said in this room just now')
  }
}

function perSecond(count: number): Rate {
  return { perSecond: count, burst: count * BURST }
}

function perMinute(count: number): Rate {
  return { perSecond: count / 60, burst: count }
}

/** What is refused costs nothing. */
function isTooFast(bucket: Bucket, now: number): boolean {
  if (bucket.take(1, now) === 0) return false
  bucket.take(-1, now)
  return true
}

function kindOf(room: Room, { envelope: { stanza, from, to } }: Visit): Kind | undefined {
  const { kind, type } = stanza
  if (type === 'error' || type === 'unavailable' || kind === 'iq') return undefined
  if (kind === 'message')
    return type === 'groupchat' || to.resource !== '' ? 'messages' : 'invitations'
  const occupant = room.occupants.of(from)
  return occupant && !occupant.jid.equals(to) ? 'nicks' : 'presences'
}
