// Whom a session sent presence to by name (RFC 6121 §4.6): they are told when it goes, whatever the
// roster says. Kept on the session, in order, with a bound.

import type { Session } from '../../lib/core/session.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'

/** LIM-directed-presence: addresses that one session has announced itself to */
const MOST = 1000

const key = Symbol('directed presence')
const nobody: ReadonlyMap<string, Jid> = new Map()

export function directedOf(session: Session): ReadonlyMap<string, Jid> {
  return (session.memo.get(key) as ReadonlyMap<string, Jid> | undefined) ?? nobody
}

export function checkDirected(session: Session, to: Jid): void {
  const directed = directedOf(session)
  if (directed.size < MOST || directed.has(to.text)) return
  throw new StanzaError('policy-violation', `presence can be sent to ${MOST} addresses by name`)
}

export function addDirected(session: Session, to: Jid): void {
  const directed = session.memo.get(key) as Map<string, Jid> | undefined
  if (directed) directed.set(to.text, to)
  else session.memo.set(key, new Map([[to.text, to]]))
  session.changed()
}

export function removeDirected(session: Session, to: Jid): void {
  const directed = session.memo.get(key) as Map<string, Jid> | undefined
  if (directed?.delete(to.text)) session.changed()
}

export function clearDirected(session: Session): void {
  session.memo.delete(key)
}
