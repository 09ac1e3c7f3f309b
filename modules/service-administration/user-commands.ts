// What is known of single users: when they last logged in, and how they use the service (XEP-0133
// §4.9, §4.10). What is not measured is left out of the statistics.

import type { Command, Parameter } from '../../lib/core/commands.js'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { AccountDetails, AccountRegistry } from '../accounts/account-registry.js'
import type { RosterApi } from '../roster/roster.js'
import type { LastLogins } from './last-logins.js'

const ADMIN = 'http://jabber.org/protocol/admin'

export const LAST_LOGIN = 'last login'
export const CONNECTED = 'sessions of an account'

interface Connected {
  readonly resource: string
  readonly address: string | null
}

export interface UserParts {
  readonly accounts: AccountRegistry
  readonly rosters: RosterApi
  readonly logins: LastLogins
}

export function userCommands(host: Host, parts: UserParts): Command[] {
  return [lastLogin(host, parts), statistics(host, parts)]
}

function lastLogin(host: Host, { accounts, logins }: UserParts): Command {
  return {
    name: 'user last-login',
    summary: 'Shows when accounts last logged in',
    allow: 'admin',
    node: `${ADMIN}#get-user-lastlogin`,
    parameters: { jids: addresses('jids', 'The addresses of the accounts', 'accountjids') },
    async run({ jids }: { jids: readonly Jid[] }) {
      const rows = []
      for (const jid of jids) {
        const { number } = await existing(host, accounts, jid)
        const { given } = await host.everywhere<number | null>(LAST_LOGIN, number)
        const at = Math.max((await logins.read(number)) ?? 0, ...given.map((held) => held ?? 0))
        const lastlogin = at === 0 ? null : new Date(at).toISOString()
        rows.push({ accountjids: jid.text, lastlogin })
      }
      return { rows }
    },
  }
}

function statistics(host: Host, { accounts, rosters }: UserParts): Command {
  return {
    name: 'user statistics',
    summary: 'Shows how an account uses the service',
    allow: 'admin',
    node: `${ADMIN}#user-stats`,
    parameters: { jid: addresses('jid', 'The address of the account', 'accountjid') },
    async run({ jid }: { jid: Jid }) {
      const { number } = await existing(host, accounts, jid)
      const { given } = await host.everywhere<Connected[]>(CONNECTED, jid.text)
      const sessions = given.flat()
      const from = sessions.flatMap(({ address }) => address ?? [])
      const row = {
        ipaddresses: [...new Set(from)],
        rostersize: (await rosters.of(number)).length,
        onlineresources: sessions.map(({ resource }) => resource),
      }
      return { rows: [row] }
    },
  }
}

/** The sessions of an account on this node */
export function connected(host: Host, account: string): Connected[] {
  return host.sessions.of(Jid.parse(account)).map(({ resource, stream }) => ({
    resource,
    address: stream?.remoteAddress ?? null,
  }))
}

function addresses(kind: 'jid' | 'jids', doc: string, field: string): Parameter {
  return { kind, doc, field, positional: true, required: true }
}

function existing(host: Host, accounts: AccountRegistry, jid: Jid): Promise<AccountDetails> {
  if (jid.domain === host.domain && jid.local !== '' && jid.isBare)
    return accounts.existing(jid.local)
  throw new StanzaError('item-not-found', `${jid.text} is no account of ${host.domain}`)
}
