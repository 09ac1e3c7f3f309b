// Which messages an account's archive keeps: those that may stay for good (lib/xmpp/message-traits.ts),
// as far as the account wants them. It runs for every message: nothing here waits unless it must.

import type { Host } from '../../lib/core/host.js'
import type { Later } from '../../lib/core/later.js'
import type { Passage } from '../../lib/core/pipeline.js'
import { KEPT, UNREAD } from '../../lib/storage/logged-message.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { countsAsUnread, keptForGood } from '../../lib/xmpp/message-traits.js'
import { listed, type Preferences, type PreferenceStore } from './preferences.js'

/** Whether a contact is in the account's roster. */
type InRoster = (account: Jid, contact: Jid) => Later<boolean>

export class Keeping {
  readonly #host: Host
  readonly #preferences: PreferenceStore
  readonly #inRoster: InRoster

  constructor(host: Host, preferences: PreferenceStore, inRoster: InRoster) {
    this.#host = host
    this.#preferences = preferences
    this.#inRoster = inRoster
  }

  /** XEP-0441 §2.3: outgoing messages are matched by `to`, incoming ones by `from`. */
  sent(envelope: Envelope, passage: Passage): Later<boolean> {
    return this.#side(envelope, passage, { peer: envelope.to, flags: KEPT })
  }

  received(envelope: Envelope, passage: Passage): Later<boolean> {
    const { stanza, from } = envelope
    const unread = countsAsUnread(stanza) && !from.bare.equals(passage.account)
    return this.#side(envelope, passage, { peer: from, flags: unread ? KEPT | UNREAD : KEPT })
  }

  #side(
    { stanza }: Envelope,
    passage: Passage,
    { peer, flags }: { peer: Jid; flags: number },
  ): Later<boolean> {
    if (passage.account.local === '' || !keptForGood(stanza)) return false
    const wanted = this.#wants(passage.account, peer)
    if (wanted instanceof Promise) return wanted.then((keep) => keepIf(keep, passage, flags))
    return keepIf(wanted, passage, flags)
  }

  #wants(account: Jid, peer: Jid): Later<boolean> {
    const { untouched, standard } = this.#preferences
    if (untouched) return this.#decide(standard, account, peer)
    const number = this.#host.numberOf(account)
    if (number instanceof Promise)
      return number.then(async (found) =>
        this.#decide(await this.#preferences.of(found), account, peer),
      )
    const preferences = this.#preferences.of(number)
    if (preferences instanceof Promise)
      return preferences.then((read) => this.#decide(read, account, peer))
    return this.#decide(preferences, account, peer)
  }

  #decide(preferences: Preferences, account: Jid, peer: Jid): Later<boolean> {
    const decided = listed(preferences, peer)
    if (decided !== undefined) return decided
    // Notes to oneself are no affair of the roster.
    if (preferences.standard === 'roster')
      return peer.bare.equals(account) || this.#inRoster(account, peer.bare)
    return preferences.standard === 'always'
  }
}

function keepIf(keep: boolean, passage: Passage, flags: number): boolean {
  if (keep) passage.keep(flags)
  return keep
}
