// What a device was sent by its full address and had not acknowledged when it went for good: it is for
// the account then (RFC 6121 §8.5.3.2.1, XEP-0198 §4). Whoever takes messages gets it from the log; where
// nobody does the account's cursor stays before it, and the next one to come gets it.

import { envelopeOf } from '../../lib/core/catch-up.js'
import { deliver } from '../../lib/core/delivery.js'
import type { Host } from '../../lib/core/host.js'
import type { Session } from '../../lib/core/session.js'
import { Transit } from '../../lib/core/transit.js'
import { INCOMING, momentOf } from '../../lib/storage/logged-message.js'
import type { Logged } from '../../lib/storage/message-log.js'
import { delayed } from '../../lib/xmpp/delay.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { isOwed } from './backlogs.js'

const PAGE = 50
/** How long until what could not be read is asked for again */
const AGAIN = 1000

interface Left {
  readonly host: Host
  readonly account: number
  readonly ids: readonly number[]
}

export function giveBack({ host, number: account, resource }: Session): Promise<void> | undefined {
  const ids = host.server.taken.owedTo(account, resource)
  return ids.length > 0 ? giveAll({ host, account, ids }) : undefined
}

async function giveAll({ host, account, ids }: Left): Promise<void> {
  for (let at = 0; at < ids.length; at += PAGE) {
    try {
      await givePage({ host, account, ids: ids.slice(at, at + PAGE) })
    } catch (error) {
      host.failed('offline-messages', error)
      const left = ids.slice(at)
      host.clock.after(AGAIN, () => void host.server.pending(giveAll({ host, account, ids: left })))
      return
    }
  }
}

async function givePage({ host, account, ids }: Left): Promise<void> {
  const query = { owner: account, ids, flags: INCOMING, limit: ids.length }
  const { messages } = await host.messages.page(query)
  const found = new Map(messages.map((logged) => [logged.id, logged]))
  const { taken } = host.server
  for (const id of ids) {
    const logged = found.get(id)
    const given = logged && (await give(host, account, logged))
    if (given !== 'owed') taken.givenBack(account, id, given !== undefined || !logged)
  }
}

/** Whether somebody has it now, or is owed it in turn; undefined where nobody takes it. */
async function give(
  host: Host,
  account: number,
  logged: Logged,
): Promise<'taken' | 'owed' | undefined> {
  const original = envelopeOf(logged)
  if (!isOwed(original, logged)) return 'taken'
  const late = original
    .with({ to: original.to.bare })
    .annotated(delayed(momentOf(logged.id), host.jid.attr))
  const transit = new Transit(host, undefined)
  const labelled = host.labelled(late, logged.flags)
  // Delivery itself asks nobody who is on other nodes: it is in the log.
  await host.server.directory.lookup(labelled.to.text)
  await deliver(host, labelled, transit)
  if (transit.delivered.length === 0) return undefined
  await toOtherNodes(host, labelled, transit.delivered)
  for (const jid of transit.delivered) {
    const other = host.sessions.find(jid)
    if (!other?.keeper && !other?.behind) continue
    host.server.taken.owe(account, logged.id, other.resource)
    return 'owed'
  }
  return 'taken'
}

/** Other nodes were told of the message when it came: that it is for their sessions now is new. */
async function toOtherNodes(
  { server, sessions }: Host,
  envelope: Envelope,
  delivered: readonly Jid[],
): Promise<void> {
  const elsewhere = delivered.filter((jid) => !sessions.find(jid))
  if (elsewhere.length === 0) return
  for (const place of await server.directory.lookup(envelope.to.bare.text))
    if (place.node !== server.node && elsewhere.some(({ resource }) => resource === place.resource))
      await server.writeElsewhere(place, envelope)
}
