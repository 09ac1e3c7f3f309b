// What becomes of what is said in a room: kept and shown again, taken back, slowed down, gone with the room.

import type { ModuleHost } from '../../../lib/core/module.js'
import type { Values } from '../../../lib/ops/options.js'
import archive from '../../archive/archive.js'
import { AskedFor } from '../asked-for.js'
import type { RoomFeature } from '../feature.js'
import { leavesNothing } from './left-behind.js'
import { moderating } from './moderating.js'
import { type rateOptions, roomRates } from './rates.js'
import { retracting } from './retracting.js'
import { roomArchive } from './room-archive.js'
import { slowMode } from './slow-mode.js'

/** In the order in which they look at a message: nobody waits longer for one that was refused. */
export function spokenFeatures(host: ModuleHost<typeof rateOptions>): RoomFeature[] {
  const { pages, pace } = host.use(archive)
  const reading = roomArchive({ pages, pace, askedFor: new AskedFor(host) })
  const features = [reading, leavesNothing, retracting, moderating, slowMode]
  // Benchmarks
  if (host.server.settings.limits === 'off') return features
  return [...features, roomRates(host.config as Values<typeof rateOptions>)]
}
