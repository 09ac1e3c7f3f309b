// Commands of administration that concern sessions, on whatever node: who is connected, and ending what
// should not be.
// A session that is ended is told why; its account may log in again.

import type { Command, Row } from '../lib/core/commands.js'
import { without } from '../lib/core/everywhere.js'
import type { Host } from '../lib/core/host.js'
import { defineModule } from '../lib/core/module.js'
import type { Session } from '../lib/core/session.js'
import { StanzaError, StreamError } from '../lib/xmpp/errors.js'
import { Jid } from '../lib/xmpp/jid.js'

const END_SESSION = 'http://jabber.org/protocol/admin#end-user-session'

export default defineModule({
  name: 'session-commands',
  summary: 'Lets administrators see who is connected and end sessions',
  setup: (host) => ({
    commands: [listing(host), kicking(host)],
    answers: {
      'list sessions': (jid) => found(host, parsed(jid)).map((session) => row(host, session)),
      'kick sessions': (jids) => kickHere(host, (jids as string[]).map(parsed)),
    },
  }),
})

interface Listed {
  readonly rows: readonly Row[]
  /** Nodes that did not answer */
  readonly silent: readonly string[]
}

function listing(host: Host): Command {
  return {
    name: 'session list',
    summary: 'Lists the sessions of this host, or of one account',
    allow: 'admin',
    parameters: {
      jid: { kind: 'jid', doc: 'Only the sessions of this account', positional: true },
    },
    async run({ jid }: { jid?: Jid }) {
      const { rows, silent } = await listed(host, jid)
      return silent.length === 0 ? { rows } : { rows, note: `not all${without(silent)}` }
    },
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

async function kick(host: Host, jids: readonly Jid[]): Promise<{ note: string }> {
  // All are looked at before anything happens to one of them.
  const known = await Promise.all(jids.map((jid) => listed(host, jid)))
  const missing = jids.filter((_, at) => known[at]!.rows.length === 0)
  if (missing.length > 0)
    throw new StanzaError('item-not-found', `${missing.map(textOf).join(', ')}: no session`)
  const { given, silent } = await host.everywhere<string[]>('kick sessions', jids.map(textOf))
  return { note: `${given.flat().join(', ')}: ended${without(silent)}` }
}

async function listed(host: Host, jid: Jid | undefined): Promise<Listed> {
  const { given, silent } = await host.everywhere<Row[]>('list sessions', jid?.text ?? '')
  return { rows: given.flat(), silent }
}

function kickHere(host: Host, jids: readonly (Jid | undefined)[]): string[] {
  const sessions = new Set(jids.flatMap((jid) => (jid ? found(host, jid) : [])))
  for (const session of sessions)
    session.close(new StreamError('policy-violation', 'ended by an administrator'))
  return [...sessions].map(({ jid }) => jid.text)
}

function parsed(text: unknown): Jid | undefined {
  return text === '' ? undefined : Jid.parse(text as string)
}

function found(host: Host, jid: Jid | undefined): Session[] {
  const sessions = jid === undefined ? [...host.sessions.all()] : host.sessions.of(jid.bare)
  return sessions.filter(
    (session) => jid === undefined || jid.isBare || session.resource === jid.resource,
  )
}

function row(host: Host, session: Session): Row {
  const transport = session.stream?.transport
  return {
    jid: session.jid.text,
    available: session.available,
    priority: session.priority,
    since: new Date(session.bound).toISOString(),
    address: transport?.remote.address ?? null,
    tls: transport?.tls?.protocol ?? null,
    node: host.server.node,
  }
}

function textOf({ text }: Jid): string {
  return text
}
