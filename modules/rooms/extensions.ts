// What rooms have beyond XEP-0045, as features: each is left out by leaving its line out.

import type { Host } from '../../lib/core/host.js'
import { activity } from './activity.js'
import { CardStore } from './card-store.js'
import { channelSearch } from './channel-search.js'
import type { RoomFeature } from './feature.js'
import { HatStore } from './hat-store.js'
import { inviteTokens } from './invite-tokens.js'
import { mentions } from './mentions.js'
import { occupantIds } from './occupant-ids.js'
import { selfPing } from './passing-on.js'
import { roomCards } from './room-cards.js'
import { roomCommands } from './room-commands.js'
import { activityIndicators } from './telling-activity.js'
import { TokenStore } from './token-store.js'
import { uniqueNames } from './unique-names.js'
import { VisitStore } from './visit-store.js'
import { hats } from './wearing-hats.js'

export function extensions(
  { database, domain }: Host,
  { cardSize }: { cardSize: number },
): RoomFeature[] {
  return [
    occupantIds,
    selfPing,
    roomCommands,
    roomCards(new CardStore(database.knex), cardSize),
    hats(new HatStore(database.knex)),
    channelSearch,
    uniqueNames,
    activity,
    mentions,
    activityIndicators(new VisitStore(database.knex, domain)),
    inviteTokens(new TokenStore(database.knex)),
  ]
}
