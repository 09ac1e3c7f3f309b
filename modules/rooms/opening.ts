// Everything of rooms on one host, put together: what they are made of, what they take and what they do
// from time to time.

import type { Host } from '../../lib/core/host.js'
import type { DiscoItem, ModuleHost, Offers } from '../../lib/core/module.js'
import { sharedSecret } from '../../lib/storage/shared-secrets.js'
import { Jid } from '../../lib/xmpp/jid.js'
import archive from '../archive/archive.js'
import { administering } from './people/administering.js'
import { affiliationVersions } from './people/affiliation-versions.js'
import { inviting } from './people/inviting.js'
import { registering } from './people/registering.js'
import { voiceRequests } from './people/voice-requests.js'
import { FanOut } from './nodes/fan-out.js'
import { Guests } from './nodes/guests.js'
import { extensions } from './extensions.js'
import { Headcount } from './nodes/headcount.js'
import { Homecoming } from './nodes/homecoming.js'
import type { RoomFeature } from './feature.js'
import { OwnedRooms } from './nodes/owned-rooms.js'
import { owning } from './setup/owning.js'
import { Reception, type ServiceIq } from './reception.js'
import { forsakes, Forsaking } from './people/forsaking.js'
import { memberships } from './people/memberships.js'
import { countsMentions, MentionStore } from './said/mention-store.js'
import { LeftBehind } from './said/left-behind.js'
import { spokenFeatures } from './said/spoken-features.js'
import { roomDisco, serviceDisco } from './finding/room-disco.js'
import { serviceCommands } from './setup/service-commands.js'
import { stanzaIdElement } from './speaking.js'
import { Venue } from './venue.js'
import { RoomStore } from './store.js'
import { markedWhisper } from './whispering.js'
import type { roomOptions } from './rooms.js'

const TIDY = 30_000
const CLEAR = 60_000
const TIDY_MENTIONS = 3_600_000
const AWAY = 10_000
/** How long what a client has of a room may be unknown to the disk */
const PLACES = 3000
const SECRET = 'rooms'
const SECRET_BYTES = 32

export async function openRooms(host: ModuleHost<typeof roomOptions>): Promise<Offers<undefined>> {
  const { seal, open, others } = host.use(archive)
  const mentionStore = new MentionStore(host)
  const jid = Jid.of('', `${host.config.subdomain}.${host.domain}`)
  const { max_occupants, shown_occupants, max_history, create, rooms_per_account } = host.config
  const features: RoomFeature[] = [
    ...[roomDisco, owning],
    ...[administering, registering, inviting, voiceRequests, affiliationVersions],
    ...extensions(host, { cardSize: host.config.card_size }),
    ...spokenFeatures(host),
    countsMentions(mentionStore),
    forsakes,
  ]
  const guests = new Guests(host, (room, id) => stanzaIdElement(room, seal(id)))
  const headcount = new Headcount(host, guests)
  const venue = new Venue({
    ...{ host, jid, seal, open, features },
    store: new RoomStore(host.database, host.domain),
    guests,
    headcount,
    fanOut: new FanOut(host, guests),
    limits: {
      mostOccupants: max_occupants,
      mostShown: shown_occupants,
      mostHistory: max_history,
      whoMayCreate: create,
      roomsPerAccount: rooms_per_account,
    },
    secret: await sharedSecret(host.database, SECRET, () => host.random.bytes(SECRET_BYTES)),
  })
  const rooms = new OwnedRooms(venue)
  const leftBehind = new LeftBehind(host)
  const forsaking = new Forsaking(venue, rooms)
  const withdraw = others.add(memberships(venue, mentionStore))
  const homecoming = new Homecoming(host, guests, rooms)
  const reception = new Reception(venue, { rooms, homecoming, iq: serviceIq(features) })
  watch(host, homecoming, rooms)
  return {
    domain: {
      subdomain: host.config.subdomain,
      receive: (envelope) => reception.receive(envelope),
      logged: (recorded) => guests.logged(recorded),
    },
    session: {
      save: (session) => homecoming.save(session),
      restore: (session, saved) => homecoming.restore(session, saved),
    },
    hooks: { 'message:sent': { amend: (envelope) => markedWhisper(envelope, jid) } },
    disco: { items: (): DiscoItem[] => [{ jid: jid.text, name: 'Rooms' }] },
    on: {
      'read-state:displayed': (displayed) => mentionStore.displayed(displayed),
      'session:closed': ({ session }) => homecoming.closed(session),
      'session:moved': ({ session }) => guests.gone(session),
      'frames:missed': ({ since }) => homecoming.missed(since),
    },
    commands: serviceCommands(venue, rooms),
    account: { forget: (account, trx) => forsaking.forget(account, trx) },
    tasks: [
      {
        name: 'mentions in rooms',
        every: TIDY_MENTIONS,
        once: true,
        run: () => mentionStore.tidy(),
      },
      { name: 'rooms that nobody is in', every: TIDY, run: () => rooms.tidy() },
      {
        name: 'what was said in rooms that are gone',
        every: CLEAR,
        once: true,
        run: () => leftBehind.run(),
      },
      {
        name: 'rooms whose people are gone',
        every: CLEAR,
        once: true,
        run: () => forsaking.run(),
      },
      { name: 'who may come back', every: AWAY, run: () => rooms.settle() },
      { name: 'places in rooms', every: PLACES, run: () => homecoming.write() },
    ],
    async close() {
      withdraw()
      leftBehind.stop()
      forsaking.stop()
      homecoming.close()
      await rooms.close()
      for (const part of [venue.fanOut, guests, headcount]) part.close()
      for (const { close } of features) close?.()
    },
  }
}

/** A life that is over owned rooms, and had people in rooms. */
function watch(host: Host, homecoming: Homecoming, rooms: OwnedRooms): void {
  const { members, fencing } = host.server
  fencing.onFenced((life) => {
    homecoming.ownerGone(life)
    // Nobody who takes anything over waits for this.
    void host.server.pending(rooms.settle(life))
  })
  members.onGone((member) => {
    const owned = homecoming.ownerGone(member.life)
    if (!owned && !rooms.isIn(member.life)) return
    const over = fencing.takeOver(member).then(() => undefined)
    void host.server.pending(over.catch((error) => host.failed('rooms', error)))
  })
}

function serviceIq(features: readonly RoomFeature[]): ServiceIq[] {
  return [...serviceDisco(features), ...features.flatMap((feature) => feature.serviceIq ?? [])]
}
