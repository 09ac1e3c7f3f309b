// Commands of administration that concern sessions: who is connected, and ending what should not be.
// A session that is ended is told why; its account may log in again.

import type { Command, Row } from '../lib/core/commands.js'
import type { Host } from '../lib/core/host.js'
import { defineModule } from '../lib/core/module.js'
import type { Session } from '../lib/core/session.js'
import { StanzaError, StreamError } from '../lib/xmpp/errors.js'
import type { Jid } from '../lib/xmpp/jid.js'

const END_SESSION = 'http://jabber.org/protocol/admin#end-user-session'

export default defineModule({
  name: 'session-commands',
  summary: 'Lets administrators see who is connected and end sessions',
  setup: (host) => ({ commands: [listing(host), kicking(host)] }),
})

function listing(host: Host): Command {
  return {
    name: 'session list',
    summary: 'Lists the sessions of this host, or of one account',
    allow: 'admin',
    parameters: {
      jid: { kind: 'jid', doc: 'Only the sessions of this account', positional: true },
    },
    run: ({ jid }: { jid?: Jid }) => ({ rows: found(host, jid).map(row) }),
  }
}

function kicking(host: Host): Command {
  return {
    name: 'session kick',
    summary: 'Ends sessions: one of a full address, all of an account',
    allow: 'admin',
    node: END_SESSION,
    parameters: {
      jids: {
        kind: 'jids',
        doc: 'The addresses, with or without a resource',
        positional: true,
        required: true,
        field: 'accountjids',
      },
    },
    run: ({ jids }: { jids: readonly Jid[] }) => kick(host, jids),
  }
}

function kick(host: Host, jids: readonly Jid[]): { note: string } {
  const missing = jids.filter((jid) => found(host, jid).length === 0)
  if (missing.length > 0) throw new StanzaError('item-not-found', `${listed(missing)}: no session`)
  const sessions = new Set(jids.flatMap((jid) => found(host, jid)))
  for (const session of sessions)
    session.close(new StreamError('policy-violation', 'ended by an administrator'))
  return { note: `${listed([...sessions].map(({ jid }) => jid))}: ended` }
}

function found(host: Host, jid: Jid | undefined): Session[] {
  const sessions = jid === undefined ? [...host.sessions.all()] : host.sessions.of(jid.bare)
  return sessions.filter(
    (session) => jid === undefined || jid.isBare || session.resource === jid.resource,
  )
}

function row(session: Session): Row {
  const transport = session.stream?.transport
  return {
    jid: session.jid.text,
    available: session.available,
    priority: session.priority,
    since: new Date(session.bound).toISOString(),
    address: transport?.remote.address ?? null,
    tls: transport?.tls?.protocol ?? null,
  }
}

function listed(jids: readonly Jid[]): string {
  return jids.map(({ text }) => text).join(', ')
}
