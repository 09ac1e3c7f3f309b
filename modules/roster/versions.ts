// What a client gets that asks for its roster: all of it, or only what changed since the version that
// it has (RFC 6121 §2.6). Versions are the account's counter; a client that names one we cannot count
// from gets everything.

import type { Host } from '../../lib/core/host.js'
import type { IqRequest } from '../../lib/core/module.js'
import type { Session } from '../../lib/core/session.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { NS_ROSTER } from '../../lib/xmpp/namespaces.js'
import { itemElement } from './item.js'
import { type Later, whenKnown } from '../../lib/core/later.js'
import type { Roster } from './roster-cache.js'
import type { Rosters } from './rosters.js'

export function answerGet(
  host: Host,
  rosters: Rosters,
  request: IqRequest,
): Later<Element | undefined> {
  const { session, element } = request
  return whenKnown(rosters.owner(request.to), (owner) => {
    if (!owner) throw new StanzaError('service-unavailable')
    return whenKnown(rosters.of(owner.number), (roster) => {
      // §2.2: from here on it is interested.
      if (session) {
        rosters.pushes.given(session, roster.version)
        session.changed()
      }
      const since = session && countable(roster, element.attrs.ver)
      if (since === undefined) return wholeRoster(roster, element.attrs.ver !== undefined)
      afterTheAnswer(host, () => {
        for (const item of roster.changedSince(since)) {
          rosters.pushes.to(session!.jid, item, item.version)
        }
      })
      return undefined
    })
  })
}

interface SavedInterest {
  readonly since: number
}

/** For a session that may have to go on without its process; nothing where it never asked. */
export function savedInterest(rosters: Rosters, session: Session): SavedInterest | undefined {
  const since = rosters.pushes.since(session)
  return since === undefined ? undefined : { since }
}

export function restoreInterest(rosters: Rosters, session: Session, saved: unknown): Later<void> {
  const known = saved as SavedInterest | undefined
  if (!known) return undefined
  rosters.pushes.given(session, known.since)
  return whenKnown(rosters.of(session.number), (roster) =>
    rosters.pushes.again(session, roster, known.since),
  )
}

/** The version to count from, or undefined where the whole roster is shorter or the only way. */
function countable(roster: Roster, written: unknown): number | undefined {
  if (typeof written !== 'string' || !/^\d{1,15}$/.test(written)) return undefined
  const since = Number(written)
  if (since < roster.floor || since > roster.version) return undefined
  const changed = roster.changedSince(since).length
  return changed * 2 > roster.length && changed > 1 ? undefined : since
}

function wholeRoster(roster: Roster, versioned: boolean): Element {
  const ver = versioned ? String(roster.version) : undefined
  return xml('query', { xmlns: NS_ROSTER, ver }, ...roster.items().map(itemElement))
}

/** §2.6.3: the empty result comes first, then the pushes. A request's `after` is before its answer. */
function afterTheAnswer(host: Host, send: () => void): void {
  const sent = new Promise<void>((resolve) => setImmediate(resolve)).then(send)
  host.server.pending(sent.catch((error) => host.failed('roster', error)))
}
