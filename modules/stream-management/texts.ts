// Texts of queued messages that were let go, read from the log when they are to be written again.

import type { Session } from '../../lib/core/session.js'
import type { Outbox } from './outbox.js'

/** Read at once */
const PAGE = 50

/** The next ones; what is not there any more was delivered elsewhere and is owed to nobody. */
export async function fetchTexts(outbox: Outbox, session: Session): Promise<void> {
  const { host, number: owner } = session
  const ids = wanted(outbox)
  const page = await host.messages.page({ owner, ids, flags: 0, limit: ids.length })
  const found = new Map(page.messages.map((logged) => [logged.id, logged]))
  for (let at = outbox.written; at < outbox.length; at++) {
    const owed = outbox.at(at)
    const logged = 'stanza' in owed ? undefined : found.get(owed.logId)
    const envelope = logged && host.replayed(logged, session)
    if (envelope) outbox.put(at, envelope)
  }
  const asked = new Set(ids)
  outbox.sift((owed) => 'stanza' in owed || !asked.has(owed.logId))
}

function wanted(outbox: Outbox): number[] {
  const ids: number[] = []
  for (let at = outbox.written; at < outbox.length && ids.length < PAGE; at++) {
    const owed = outbox.at(at)
    if (!('stanza' in owed)) ids.push(owed.logId)
  }
  return ids
}
