// Indications that something is said in a room (XEP-0437): whoever asked the service for them, with a session of
// this host, is told once of each room in which he has a standing and is not. The owner of a room tells all nodes
// that something was said, now and then; each knows who listens there.

import type { Timer } from '../../../lib/ops/clock.js'
import type { Envelope } from '../../../lib/xmpp/envelope.js'
import { trait } from '../../../lib/xmpp/message-traits.js'
import { Indicators, NS_INDICATORS } from './activity-indicators.js'
import type { RoomFeature } from '../feature.js'
import type { Room } from '../room.js'
import type { Venue } from '../venue.js'
import type { VisitStore } from './visit-store.js'

/** Milliseconds between two announcements of one room: each costs a look at who is in it */
const PACE = 1000

const paceKey = Symbol('pace of indications')

interface Pace {
  timer: Timer | undefined
  /** Something more was said meanwhile. */
  more: boolean
}

type Notice = readonly [number: number, name: string]

export function activityIndicators(store: VisitStore): RoomFeature {
  let here: { indicators: Indicators; ends: () => void } | undefined
  const paces = new Set<Pace>()

  return {
    name: 'activity indicators',
    serviceFeatures: [NS_INDICATORS],
    servicePresence(venue, envelope) {
      if (!isOurs(venue, envelope)) return undefined
      const { stanza, from } = envelope
      const { indicators } = begun(venue)
      if (stanza.type === 'unavailable') indicators.forget(from)
      else if (stanza.type === '' && stanza.has('rai', NS_INDICATORS))
        return indicators.listen(from)
      return undefined
    },
    taken: ({ venue }) => void begun(venue),
    spoken({ room, stanza }) {
      if ((stanza.traits & trait.body) !== 0) tell(room)
    },
    left(room, { account }) {
      if (room.affiliations.entry(account) === undefined) return
      const { host } = room.venue
      const entry = host.journal.entry()
      store.left(entry, { room: room.number, account: account.text, at: host.clock.now() })
      host.server.pending(host.journal.commit(entry).catch(() => undefined))
    },
    released: ({ memo }) => end(memo.get(paceKey) as Pace | undefined),
    destroyed(room, entry) {
      end(room.memo.get(paceKey) as Pace | undefined)
      store.remove(entry, room.number)
    },
    close() {
      for (const pace of paces) end(pace)
      here?.ends()
    },
  }

  function begun(venue: Venue) {
    if (here) return here
    const indicators = new Indicators(venue, store)
    const ends = venue.host.server.talk.on(topicOf(venue), (content) =>
      hear(venue, content as Notice),
    )
    here = { indicators, ends }
    return here
  }

  function tell(room: Room): void {
    const pace = paceOf(room)
    if (pace.timer) pace.more = true
    else announce(room, pace)
  }

  function announce(room: Room, pace: Pace): void {
    const { venue } = room
    const notice: Notice = [room.number, room.jid.local]
    hear(venue, notice)
    venue.host.server.talk.tell(topicOf(venue), notice)
    pace.more = false
    pace.timer = venue.host.clock.after(PACE, () => {
      pace.timer = undefined
      if (pace.more) announce(room, pace)
    })
  }

  function paceOf({ memo }: Room): Pace {
    const known = memo.get(paceKey) as Pace | undefined
    if (known) return known
    const pace: Pace = { timer: undefined, more: false }
    memo.set(paceKey, pace)
    paces.add(pace)
    return pace
  }

  function end(pace: Pace | undefined): void {
    pace?.timer?.cancel()
    if (pace) paces.delete(pace)
  }

  function hear(venue: Venue, [number, name]: Notice): void {
    const { host } = venue
    const work = begun(venue).indicators.active({ number, name })
    host.server.pending(work.catch((error) => host.failed('rooms', error)))
  }
}

function topicOf({ host }: Venue): string {
  return `activity in rooms ${host.domain}`
}

/** §6: others are not served. */
function isOurs({ host }: Venue, { from, origin }: Envelope): boolean {
  return (
    origin !== 'server' && from.domain === host.domain && host.sessions.find(from) !== undefined
  )
}
