// What rooms have beyond XEP-0045, as features: each is left out by leaving its line out.

import type { Host } from '../../lib/core/host.js'
import { activity } from './said/activity.js'
import { CardStore } from './setup/card-store.js'
import { channelSearch } from './finding/channel-search.js'
import type { RoomFeature } from './feature.js'
import { HatStore } from './people/hat-store.js'
import { inviteTokens } from './people/invite-tokens.js'
import { mentions } from './said/mentions.js'
import { occupantIds } from './people/occupant-ids.js'
import { selfPing } from './passing-on.js'
import { roomCards } from './setup/room-cards.js'
import { roomCommands } from './setup/room-commands.js'
import { activityIndicators } from './said/telling-activity.js'
import { TokenStore } from './people/token-store.js'
import { uniqueNames } from './finding/unique-names.js'
import { VisitStore } from './said/visit-store.js'
import { hats } from './people/wearing-hats.js'

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
