// The two sides of a stanza: that of the account that sent it and that of the one that receives it, each
// with a hook for each kind of stanza, on its own host.

import type { Envelope } from '../xmpp/envelope.js'
import type { Jid } from '../xmpp/jid.js'
import type { StanzaKind } from '../xmpp/stanza.js'
import { INCOMING, OUTGOING } from '../storage/logged-message.js'
import type { Host } from './host.js'
import type { StanzaHook } from './pipeline.js'
import type { Transit } from './transit.js'

type KindHooks = Readonly<Record<StanzaKind, StanzaHook>>

const sentHook: KindHooks = {
  message: 'message:sent',
  presence: 'presence:sent',
  iq: 'iq:sent',
}
export const receivedHook: KindHooks = {
  message: 'message:received',
  presence: 'presence:received',
  iq: 'iq:received',
}

export interface Side {
  hook: KindHooks
  account: Jid
  direction: number
}

export function sentSide(account: Jid): Side {
  return { hook: sentHook, account, direction: OUTGOING }
}

export function receivedSide(account: Jid): Side {
  return { hook: receivedHook, account, direction: INCOMING }
}

export function prepare(host: Host, side: Side, envelope: Envelope, transit: Transit) {
  const hook = side.hook[envelope.stanza.kind]
  if (!host.pipeline.has(hook)) return envelope
  return host.pipeline.prepare(hook, envelope, transit.passage(side.account, side.direction))
}

export function copy(host: Host, side: Side, envelope: Envelope, transit: Transit): void {
  const hook = side.hook[envelope.stanza.kind]
  if (!host.pipeline.has(hook)) return
  const passage = transit.passage(side.account, side.direction)
  const copied = host.pipeline.copy(hook, envelope, passage, (owner, error) =>
    host.failed(owner, error),
  )
  host.server.pending(copied)
}
