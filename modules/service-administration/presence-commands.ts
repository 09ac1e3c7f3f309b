// Who is online, and who of them is active or idle: counted and listed (XEP-0133 §4.15 to §4.22). The
// list of the idle has the field of the active: so it stands in §4.22.

import type { Command, Row } from '../../lib/core/commands.js'
import type { Host } from '../../lib/core/host.js'
import type { Session } from '../../lib/core/session.js'

const ADMIN = 'http://jabber.org/protocol/admin'

interface Group {
  readonly word: string
  readonly what: string
  readonly countNode: string
  readonly listNode: string
  readonly countField: string
  readonly listField: string
  has(sessions: readonly Session[]): boolean
}

export function presenceCommands(host: Host, idle: number): Command[] {
  const active = (sessions: readonly Session[]): boolean => {
    const since = host.clock.now() - idle
    return sessions.some(({ stream }) => stream !== undefined && stream.heard > since)
  }
  const groups: Group[] = [
    {
      word: 'online',
      what: 'users who are online',
      countNode: 'get-online-users-num',
      listNode: 'get-online-users-list',
      countField: 'onlineusersnum',
      listField: 'onlineuserjids',
      has: () => true,
    },
    {
      word: 'active',
      what: 'users who are online and active',
      countNode: 'get-active-users-num',
      listNode: 'get-active-users',
      countField: 'activeusersnum',
      listField: 'activeuserjids',
      has: active,
    },
    {
      word: 'idle',
      what: 'users who are online and idle',
      countNode: 'get-idle-users-num',
      listNode: 'get-idle-users',
      countField: 'idleusersnum',
      listField: 'activeuserjids',
      has: (sessions) => !active(sessions),
    },
  ]
  return groups.flatMap((group) => [counting(host, group), listing(host, group)])
}

function counting(host: Host, group: Group): Command {
  return {
    name: `user count-${group.word}`,
    summary: `Counts the ${group.what}`,
    allow: 'admin',
    node: `${ADMIN}#${group.countNode}`,
    parameters: {},
    run: () => ({ rows: [{ [group.countField]: members(host, group).length }] }),
  }
}

function listing(host: Host, group: Group): Command {
  return {
    name: `user ${group.word}`,
    summary: `Lists the ${group.what}`,
    allow: 'admin',
    node: `${ADMIN}#${group.listNode}`,
    fields: (rows) => ({ [group.listField]: rows.map(({ jid }) => String(jid)) }),
    parameters: {
      limit: {
        kind: 'integer',
        doc: 'How many at most',
        field: 'max_items',
        proposed: [25, 50, 75, 100, 150, 200],
      },
    },
    run: ({ limit }) => ({ rows: members(host, group).slice(0, limit).map(row) }),
  }
}

function members(host: Host, { has }: Group): (readonly Session[])[] {
  const accounts = new Map<string, readonly Session[]>()
  for (const { account } of host.sessions.all())
    accounts.set(account.text, host.sessions.of(account))
  return [...accounts.values()].filter(has)
}

function row(sessions: readonly Session[]): Row {
  return {
    jid: sessions[0]!.account.text,
    resources: sessions.map(({ resource }) => resource),
    heard: new Date(Math.max(...sessions.map(heard))).toISOString(),
  }
}

function heard({ stream, bound }: Session): number {
  return stream?.heard ?? bound
}
