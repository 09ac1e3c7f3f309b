// What administration does to a room from any node: it is taken to the room's owner, as a stanza would be, and is
// done there in the room's lane. What travels is JSON.

import type { Later } from '../../../lib/core/later.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { affiliate } from '../people/administering.js'
import { readConfiguration, type ShownSettings, shownSettings } from './configuration-form.js'
import { readNick } from '../entering.js'
import { configure, destroyRoom } from './owning.js'
import { type Actor, checkAffiliations } from '../people/privileges.js'
import type { Room } from '../room.js'
import { type Affiliation, isAtLeast } from '../standing.js'
import { subjectText } from '../subject.js'
import { forsaken } from '../people/succession.js'

export class Deed {
  readonly name: string
  readonly args: unknown

  constructor(name: string, args: unknown) {
    this.name = name
    this.args = args
  }

  toJSON(): readonly ['deed', string, unknown] {
    return ['deed', this.name, this.args]
  }

  /** From this node or another one; undefined for what is a stanza. */
  static read(content: unknown): Deed | undefined {
    if (content instanceof Deed) return content
    if (!Array.isArray(content) || content[0] !== 'deed') return undefined
    return new Deed(content[1], content[2])
  }
}

export interface NewAffiliation {
  readonly jid: string
  readonly affiliation: Affiliation
  readonly nick?: string | undefined
  readonly reason?: string | undefined
  /** Who says so */
  readonly by: string
}

export interface Ending {
  readonly reason?: string | undefined
  readonly alternative?: string | undefined
}

/** Fields of the configuration form and their values */
export type Wishes = readonly (readonly [field: string, values: readonly string[]])[]

// biome-ignore lint/suspicious/noExplicitAny: each deed knows its own arguments
const deeds: Readonly<Record<string, (room: Room, args: any) => Later<unknown>>> = {
  show,
  async destroy(room, { reason, alternative }: Ending) {
    await destroyRoom(room, { reason, alternative: Jid.tryParse(alternative) })
  },
  async configure(room, wishes: Wishes) {
    const { limits } = room.venue
    await configure(room, readConfiguration(new Map(wishes), room.settings, limits))
  },
  affiliate: setAffiliation,
  forsake: (room, account: string) => forsaken(room, Jid.parse(account)),
}

/** In the room's lane */
export async function doDeed(room: Room, { name, args }: Deed): Promise<unknown> {
  const deed = deeds[name]
  if (!deed) throw new StanzaError('feature-not-implemented')
  return (await room.lane.alone(() => deed(room, args))) ?? null
}

export interface ShownRoom {
  readonly settings: ShownSettings
  readonly subject: string
  readonly created: number
  readonly locked: boolean
  readonly occupants: readonly string[]
  readonly owners: readonly string[]
  readonly admins: readonly string[]
  readonly members: number
  readonly outcasts: number
}

function show(room: Room): ShownRoom {
  const { affiliations, occupants, settings, created, locked } = room
  const listed = (list: Affiliation): string[] =>
    [...affiliations.all(list)].map(({ jid }) => jid.text)
  return {
    settings: shownSettings(settings),
    ...{ created, locked, subject: subjectText(room) },
    occupants: [...occupants.all()].map(({ jid, account }) => `${jid.resource} (${account.text})`),
    owners: listed('owner'),
    admins: listed('admin'),
    members: affiliations.count('member'),
    outcasts: affiliations.count('outcast'),
  }
}

/** The rules of owners hold: the last of them stays (XEP-0045 §10.4). */
async function setAffiliation(room: Room, wish: NewAffiliation): Promise<void> {
  const { affiliation, reason } = wish
  const jid = Jid.parse(wish.jid).bare
  const nick = wish.nick && readNick(room, wish.nick)
  if (nick && !isAtLeast(affiliation, 'member'))
    throw new StanzaError('bad-request', 'only members have nicks of their own')
  const account = Jid.parse(wish.by)
  const actor: Actor = { account, affiliation: 'owner', isModerator: true }
  const change = { jid, affiliation, nick, reason }
  // Whoever administers the service is nobody in the room who could ban himself.
  checkAffiliations(room, [change], { ...actor, account: room.jid })
  await affiliate(room, [change], actor)
}
