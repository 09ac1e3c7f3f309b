// Commands of administration that concern accounts; nodes as XEP-0133 fixes them. A password is never
// an argument in the open: it is a secret parameter, or one is made and shown once.

import type { Command, Parameter, Row } from '../../lib/core/commands.js'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { AccountDetails, AccountRegistry } from './account-registry.js'

const ADMIN = 'http://jabber.org/protocol/admin'

const account: Parameter = {
  kind: 'jid',
  doc: 'The address of the account',
  positional: true,
  required: true,
  field: 'accountjid',
}

const accounts: Parameter = {
  kind: 'jids',
  doc: 'The addresses of the accounts',
  positional: true,
  required: true,
  field: 'accountjids',
}

const password: Parameter = {
  kind: 'secret',
  doc: 'The password; without one, one is made and shown',
  field: 'password',
}

const page = {
  limit: {
    kind: 'integer',
    doc: 'How many accounts at most',
    field: 'max_items',
    proposed: [25, 50, 75, 100, 150, 200],
  },
  after: { kind: 'integer', doc: 'The number of the last account of the page before' },
} as const

export function accountCommands(host: Host, registry: AccountRegistry): Command[] {
  const local = (jid: Jid): string => localOf(host, jid)
  const each = async (
    jids: readonly Jid[],
    act: (name: string) => Promise<void>,
  ): Promise<void> => {
    // All are looked at before anything happens to one of them.
    for (const jid of jids) await registry.existing(local(jid))
    for (const jid of jids) await act(local(jid))
  }
  return [
    {
      name: 'user add',
      summary: 'Creates an account',
      allow: 'admin',
      node: `${ADMIN}#add-user`,
      parameters: {
        jid: account,
        password,
        force: {
          kind: 'flag',
          doc: 'Also a name that was removed once or that looks like another',
        },
      },
      async run({ jid, password: given, force }) {
        const made = given ?? madePassword(host)
        await registry.create(local(jid), { password: made, force: force === true })
        return shown('was created', jid, given === undefined ? made : undefined)
      },
    },
    {
      name: 'user password',
      summary: 'Sets the password of an account; its login tokens end',
      allow: 'admin',
      node: `${ADMIN}#change-user-password`,
      parameters: { jid: account, password },
      async run({ jid, password: given }) {
        const made = given ?? madePassword(host)
        await registry.setPassword(local(jid), made)
        return shown('has a new password', jid, given === undefined ? made : undefined)
      },
    },
    {
      name: 'user disable',
      summary: 'Ends the sessions of accounts and lets nobody log in; what they have is kept',
      allow: 'admin',
      node: `${ADMIN}#disable-user`,
      parameters: { jids: accounts },
      async run({ jids }) {
        await each(jids, (name) => registry.disable(name))
        return { note: `${listed(jids)}: disabled` }
      },
    },
    {
      name: 'user enable',
      summary: 'Lets disabled accounts log in again',
      allow: 'admin',
      node: `${ADMIN}#reenable-user`,
      parameters: { jids: accounts },
      async run({ jids }) {
        await each(jids, (name) => registry.enable(name))
        return { note: `${listed(jids)}: enabled` }
      },
    },
    {
      name: 'user remove',
      summary: 'Removes accounts and all they have; their names are not given again',
      allow: 'admin',
      node: `${ADMIN}#delete-user`,
      parameters: { jids: accounts },
      async run({ jids }) {
        await each(jids, (name) => registry.remove(name))
        return { note: `${listed(jids)}: removed` }
      },
    },
    ...readingCommands(host, registry),
  ]
}

function readingCommands(host: Host, registry: AccountRegistry): Command[] {
  const details = async (accounts: readonly AccountDetails[]): Promise<Row[]> => {
    const resources = await resourcesOf(host, accounts)
    return accounts.map(({ jid, number, created, disabled }) => ({
      jid: jid.text,
      number,
      created: new Date(created).toISOString(),
      disabled,
      sessions: resources.get(jid.text)?.length ?? 0,
    }))
  }
  return [
    {
      name: 'user list',
      summary: 'Lists the accounts',
      allow: 'admin',
      node: `${ADMIN}#get-registered-users-list`,
      fields: (rows) => ({ registereduserjids: rows.map(({ jid }) => String(jid)) }),
      parameters: page,
      async run({ limit, after }) {
        return { rows: await details(await registry.list({ limit, after })) }
      },
    },
    {
      name: 'user disabled',
      summary: 'Lists the accounts that are disabled',
      allow: 'admin',
      node: `${ADMIN}#get-disabled-users-list`,
      fields: (rows) => ({ disableduserjids: rows.map(({ jid }) => String(jid)) }),
      parameters: page,
      async run({ limit, after }) {
        return { rows: await details(await registry.list({ limit, after, disabled: true })) }
      },
    },
    {
      name: 'user show',
      summary: 'Shows one account and its sessions',
      allow: 'admin',
      parameters: { jid: account },
      async run({ jid }) {
        const found = await registry.existing(localOf(host, jid))
        const [row] = await details([found])
        const resources = (await resourcesOf(host, [found])).get(found.jid.text) ?? []
        return { rows: [{ ...row, resources }] }
      },
    },
    {
      name: 'user count',
      summary: 'Counts the accounts',
      allow: 'admin',
      node: `${ADMIN}#get-registered-users-num`,
      parameters: {},
      async run() {
        return { rows: [{ registeredusersnum: await registry.count() }] }
      },
    },
    {
      name: 'user count-disabled',
      summary: 'Counts the accounts that are disabled',
      allow: 'admin',
      node: `${ADMIN}#get-disabled-users-num`,
      parameters: {},
      async run() {
        return { rows: [{ disabledusersnum: await registry.count(true) }] }
      },
    },
  ]
}

type Resources = readonly (readonly [account: string, resources: readonly string[]])[]

/** Of the sessions of these accounts, on this node */
export function resourcesHere(host: Host, accounts: readonly string[]): Resources {
  return accounts.flatMap((account) => {
    const sessions = host.sessions.of(Jid.parse(account))
    return sessions.length > 0 ? [[account, sessions.map(({ resource }) => resource)]] : []
  })
}

async function resourcesOf(
  host: Host,
  accounts: readonly AccountDetails[],
): Promise<Map<string, readonly string[]>> {
  const asked = accounts.map(({ jid }) => jid.text)
  const { given } = await host.everywhere<Resources>('resources', asked)
  const found = new Map<string, readonly string[]>()
  for (const [account, resources] of given.flat())
    found.set(account, [...(found.get(account) ?? []), ...resources])
  return found
}

function localOf(host: Host, jid: Jid): string {
  if (jid.domain === host.domain && jid.local !== '' && jid.isBare) return jid.local
  throw new StanzaError('item-not-found', `${jid.text} is no account of ${host.domain}`)
}

function shown(what: string, jid: Jid, made: string | undefined): { note: string; rows?: Row[] } {
  const note = `${jid.text} ${what}`
  return made === undefined ? { note } : { note, rows: [{ jid: jid.text, password: made }] }
}

function madePassword(host: Host): string {
  return host.random.bytes(15).toString('base64url')
}

function listed(jids: readonly Jid[]): string {
  return jids.map((jid) => jid.text).join(', ')
}
