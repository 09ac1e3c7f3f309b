// Commands that make, list and revoke invitations: for administrators, and one for everybody
// (XEP-0401 §4). What comes back is an address that a client opens; a web page for it is not here.

import type { Command, CommandResult } from '../../lib/core/commands.js'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Invitations, Made } from './invitations.js'

const NS_INVITE = 'urn:xmpp:invite'
const FORM = `${NS_INVITE}#invitation`

const DAY = 24 * 60 * 60_000
const MOST_USES = 10_000
const MOST_DAYS = 3650

export interface InviteOptions {
  /** Milliseconds */
  readonly life: number
  /** Open invitations of one user */
  readonly mostOfUser: number
}

export function inviteCommands(
  host: Host,
  invitations: Invitations,
  options: InviteOptions,
): Command[] {
  return [
    creating(host, invitations, options),
    {
      name: 'invite list',
      summary: 'Lists the invitations that are open',
      allow: 'admin',
      parameters: {},
      async run() {
        const rows = (await invitations.list()).map((one) => ({
          id: one.id,
          by: one.madeBy,
          username: one.local,
          uses: one.uses,
          created: new Date(one.created).toISOString(),
          expires: date(one.expires),
        }))
        return { rows }
      },
    },
    {
      name: 'invite revoke',
      summary: 'Takes an invitation back',
      allow: 'admin',
      parameters: {
        id: { kind: 'integer', doc: 'Its number in the list', positional: true, required: true },
      },
      async run({ id }) {
        if (!(await invitations.store.remove(id)))
          throw new StanzaError('item-not-found', `there is no invitation ${id}`)
        return { note: `invitation ${id} was revoked` }
      },
    },
    inviting(host, invitations, options),
  ]
}

function creating(host: Host, invitations: Invitations, { life }: InviteOptions): Command {
  return {
    name: 'invite create',
    summary: 'Makes an invitation to register an account',
    allow: 'admin',
    node: `${NS_INVITE}#create-account`,
    form: FORM,
    parameters: {
      username: { kind: 'text', doc: 'The name of the account; without one, any that is free' },
      uses: { kind: 'integer', doc: 'How many accounts may be made with it; default 1' },
      days: { kind: 'integer', doc: 'For how many days it can be used; 0 for ever' },
      contact: {
        kind: 'flag',
        doc: 'Whether who comes becomes a contact of who invites',
        field: 'roster-subscription',
      },
    },
    async run({ username, uses = 1, days, contact = false }, { by }) {
      checkOpen(host)
      checkBounds(uses, days)
      const local = username === undefined ? undefined : localOf(host, username)
      if (local !== undefined && uses !== 1)
        throw new StanzaError('bad-request', 'an invitation for one name has one use')
      const lasts = days === undefined ? life : days === 0 ? Infinity : days * DAY
      const wanted = { by, uses, life: lasts, local, contact, most: Infinity }
      const made = await invitations.make(wanted)
      const who = local === undefined ? host.domain : `${local}@${host.domain}`
      return shown(made, `xmpp:${encodeAddress(who)}?register;preauth=${made.token}`)
    },
  }
}

function inviting(
  host: Host,
  invitations: Invitations,
  { life, mostOfUser }: InviteOptions,
): Command {
  return {
    name: 'invite contact',
    summary: 'Invites somebody to register here and to become your contact',
    allow: 'account',
    node: `${NS_INVITE}#invite`,
    form: FORM,
    parameters: {},
    async run(_, { by }) {
      checkOpen(host)
      if (!by) throw new StanzaError('not-allowed', 'use invite create')
      if (mostOfUser === 0) throw new StanzaError('forbidden', 'only administrators invite here')
      const wanted = { by, uses: 1, life, contact: true, most: mostOfUser }
      const made = await invitations.make(wanted)
      return shown(made, `xmpp:${encodeAddress(by.text)}?roster;preauth=${made.token};ibr=y`)
    },
  }
}

function checkOpen(host: Host): void {
  if (host.settings.registration === 'closed')
    throw new StanzaError('not-allowed', 'registration is closed: set registration to invite')
}

function checkBounds(uses: number, days: number | undefined): void {
  if (uses < 1 || uses > MOST_USES)
    throw new StanzaError('bad-request', `uses: 1 to ${MOST_USES} are allowed`)
  if (days !== undefined && (days < 0 || days > MOST_DAYS))
    throw new StanzaError('bad-request', `days: 0 to ${MOST_DAYS} are allowed`)
}

function localOf(host: Host, username: string): string {
  const jid = Jid.tryParse(`${username}@${host.domain}`)
  if (jid?.isBare && jid.local !== '' && jid.domain === host.domain) return jid.local
  throw new StanzaError('jid-malformed', `${username} cannot be the name of an account`)
}

function shown({ id, expires }: Made, uri: string): CommandResult {
  return { rows: [expires === null ? { id, uri } : { id, uri, expire: date(expires) }] }
}

function date(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}

/** RFC 5122 §2.2: in a URI, what is not allowed in it as it stands is escaped. */
function encodeAddress(address: string): string {
  return encodeURIComponent(address).replaceAll('%40', '@')
}
