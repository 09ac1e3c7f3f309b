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
  has(user: Online): boolean
}

/** A user with sessions, on whatever nodes */
interface Online {
  readonly jid: string
  readonly resources: readonly string[]
  /** When one of its streams, or else of its sessions, last said something */
  readonly heard: number
  /** When one of the streams that are there did; 0 where there is none */
  readonly alive: number
}

export const WHO_IS_ONLINE = 'who is online'

/** As this node knows it */
export function whoIsOnline(host: Host): Online[] {
  const accounts = new Map<string, readonly Session[]>()
  for (const { account } of host.sessions.all())
    accounts.set(account.text, host.sessions.of(account))
  return [...accounts].map(([jid, sessions]) => ({
    jid,
    resources: sessions.map(({ resource }) => resource),
    heard: Math.max(...sessions.map(({ stream, bound }) => stream?.heard ?? bound)),
    alive: Math.max(...sessions.map(({ stream }) => stream?.heard ?? 0)),
  }))
}

export function presenceCommands(host: Host, idle: number): Command[] {
  const active = ({ alive }: Online): boolean => alive > host.clock.now() - idle
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
      has: (user) => !active(user),
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
    run: async () => ({ rows: [{ [group.countField]: (await members(host, group)).length }] }),
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
    run: async ({ limit }) => ({ rows: (await members(host, group)).slice(0, limit).map(row) }),
  }
}

async function members(host: Host, { has }: Group): Promise<Online[]> {
  const { given } = await host.everywhere<Online[]>(WHO_IS_ONLINE, null)
  const users = new Map<string, Online>()
  for (const user of given.flat()) users.set(user.jid, together(users.get(user.jid), user))
  return [...users.values()].filter(has)
}

/** What two nodes know of one user */
function together(one: Online | undefined, other: Online): Online {
  if (!one) return other
  return {
    jid: other.jid,
    resources: [...one.resources, ...other.resources],
    heard: Math.max(one.heard, other.heard),
    alive: Math.max(one.alive, other.alive),
  }
}

function row({ jid, resources, heard }: Online): Row {
  return { jid, resources, heard: new Date(heard).toISOString() }
}
