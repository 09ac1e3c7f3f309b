// How often one account may have rooms work for it (LIM-room-asking): invitations, requests for a voice or for
// membership, searches. Who asks faster is refused; nobody else is.

import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { Bucket, type Rate } from '../../lib/streams/pace.js'
import type { Venue } from './venue.js'

/** Accounts that asked lately; the one seen longest ago is forgotten first. */
export const MOST_ASKERS = 10_000

const RATES = {
  invitation: { perSecond: 1 / 30, burst: 100 },
  voice: { perSecond: 1 / 60, burst: 5 },
  membership: { perSecond: 1 / 60, burst: 5 },
  search: { perSecond: 1, burst: 30 },
} as const satisfies Record<string, Rate>

export type Asking = keyof typeof RATES

const paces = new WeakMap<Venue, AskingPace>()

/** Counts one; refuses where it is one too many. */
export function checkPace(venue: Venue, account: Jid, asking: Asking): void {
  if (!paceOf(venue).take(account, asking, venue.host.clock.now()))
    throw new StanzaError('resource-constraint', 'too many requests; try again later')
}

export function paceOf(venue: Venue): AskingPace {
  let pace = paces.get(venue)
  if (!pace) paces.set(venue, (pace = new AskingPace()))
  return pace
}

export class AskingPace {
  readonly #buckets = new Map<string, Bucket>()

  get size(): number {
    return this.#buckets.size
  }

  /** Whether there was room for one more; what is refused does not count. */
  take(account: Jid, asking: Asking, now: number): boolean {
    const key = `${asking} ${account.bare.text}`
    const bucket = this.#buckets.get(key) ?? new Bucket(RATES[asking], now)
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > MOST_ASKERS) this.#buckets.delete(this.#buckets.keys().next().value!)
    if (bucket.take(1, now) === 0) return true
    bucket.take(-1, now)
    return false
  }
}
