// How much is said in a room that anybody may enter (XEP-0502): messages in an hour, over the last day. Counted
// by the hour while a room is on this node; what was said before is read from the log, behind everything else.

import { toWire } from '../../../lib/xmpp/element.js'
import { trait } from '../../../lib/xmpp/message-traits.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { numberAt, timeOf } from '../../../lib/storage/logged-message.js'
import type { RoomFeature } from '../feature.js'
import type { Room } from '../room.js'

const FIELD = '{urn:xmpp:muc-activity}message-activity'
const HOUR = 3_600_000
/** Hours that are looked back on (§4: no more than 72) */
const HOURS = 24
/** LIM-activity: messages that are read when a room is taken */
export const MOST_READ = 500

const key = Symbol('activity')

class Activity {
  /** Nothing before it was counted. */
  since: number
  readonly #counts = new Map<number, number>()

  constructor(since: number) {
    this.since = since
  }

  count(at: number): void {
    const hour = Math.floor(at / HOUR)
    this.#counts.set(hour, (this.#counts.get(hour) ?? 0) + 1)
    for (const old of this.#counts.keys()) if (old < hour - HOURS) this.#counts.delete(old)
  }

  /** Of an hour; undefined where too little is known (§3.1: no placeholders). */
  rate(now: number): number | undefined {
    if (now - this.since < HOUR) return undefined
    const first = Math.floor(now / HOUR) - HOURS
    let sum = 0
    for (const [hour, count] of this.#counts) if (hour >= first) sum += count
    return sum / ((now - Math.max(this.since, first * HOUR)) / HOUR)
  }
}

function activityOf(room: Room): Activity {
  const known = room.memo.get(key) as Activity | undefined
  if (known) return known
  const activity = new Activity(room.venue.host.clock.now())
  room.memo.set(key, activity)
  return activity
}

export const activity: RoomFeature = {
  name: 'activity',
  info(room) {
    if (!isForAll(room)) return []
    const rate = activityOf(room).rate(room.venue.host.clock.now())
    return rate === undefined ? [] : [{ name: FIELD, value: rate.toFixed(2) }]
  },
  spoken({ room, stanza, envelope }) {
    if (isCounted(stanza)) activityOf(room).count(envelope.arrived)
  },
  taken(room) {
    const { host } = room.venue
    const activity = activityOf(room)
    if (isForAll(room) && room.settings.archived)
      host.server.pending(read(room, activity).catch((error) => host.failed('rooms', error)))
  },
}

/** §3.1, §9: only of rooms that are for everybody, and stay */
function isForAll({ settings }: Room): boolean {
  const { persistent, hidden, membersOnly, password } = settings
  return persistent && !hidden && !membersOnly && password === ''
}

/** §4: what people read as a message of its own */
function isCounted({ traits }: Stanza): boolean {
  const not = trait.correction | trait.retraction | trait.reactions
  return (traits & trait.body) !== 0 && (traits & not) === 0
}

async function read(room: Room, activity: Activity): Promise<void> {
  const taken = activity.since
  const from = Math.max(room.created, taken - HOURS * HOUR)
  const range = {
    owner: room.logNumber,
    after: numberAt(from) - 1,
    limit: MOST_READ,
    backwards: true,
  }
  const { messages, complete } = await room.venue.host.messages.page(range)
  for (const { id, text } of messages)
    if (timeOf(id) < taken && isCounted(Stanza.parse(toWire(text)))) activity.count(timeOf(id))
  activity.since = complete ? from : timeOf(messages[0]!.id)
}
