// Commands of administration for rooms. They run on any node and are taken to whoever owns the room.

import type { Command, CommandContext, Parameter, Row } from '../../../lib/core/commands.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Ending, NewAffiliation, ShownRoom, Wishes } from './deeds.js'
import type { OwnedRooms } from '../nodes/owned-rooms.js'
import { settingNames } from './setting-fields.js'
import { readSettings } from '../settings.js'
import { affiliations } from '../standing.js'
import type { Venue } from '../venue.js'

const room: Parameter = {
  kind: 'text',
  doc: 'The address of the room, or its name alone',
  positional: true,
  required: true,
}

export function serviceCommands(venue: Venue, rooms: OwnedRooms): Command[] {
  return [...reading(venue, rooms), ...making(venue, rooms), ...changing(venue, rooms)]
}

function reading(venue: Venue, rooms: OwnedRooms): Command[] {
  return [
    {
      name: 'room list',
      summary: 'Lists the rooms, hidden ones included',
      allow: 'admin',
      parameters: {
        limit: { kind: 'integer', doc: 'How many rooms at most; default 100' },
        after: { kind: 'text', doc: 'The name of the last room of the page before' },
      },
      async run({ limit = 100, after }) {
        const most = Math.max(1, Math.min(limit, 1000))
        const rows = await venue.store.page({ limit: most, after, hidden: true })
        return { rows: rows.map((row) => listed(venue, row)) }
      },
    },
    {
      name: 'room show',
      summary: 'Shows one room: its settings, who is in it, and who has a say',
      allow: 'admin',
      parameters: { room },
      async run(args) {
        const jid = addressOf(venue, args.room)
        const { settings, created, ...rest } = (await rooms.deed(jid, 'show')) as ShownRoom
        const since = new Date(created).toISOString()
        return { rows: [{ jid: jid.text, created: since, ...rest, ...settings }] }
      },
    },
  ]
}

function listed(venue: Venue, row: { name: string; settings: string; created: number }): Row {
  const { name, hidden, persistent, membersOnly } = readSettings(row.settings, venue.limits)
  const jid = venue.addressOf(row.name).text
  const created = new Date(row.created).toISOString()
  return { jid, name, hidden, persistent, members_only: membersOnly, created }
}

function making(venue: Venue, rooms: OwnedRooms): Command[] {
  return [
    {
      name: 'room create',
      summary: 'Makes a room that stays when nobody is in it',
      allow: 'admin',
      parameters: {
        room,
        owner: { kind: 'jid', doc: 'Who owns it', required: true },
        name: { kind: 'text', doc: 'What it is called' },
        members_only: { kind: 'flag', doc: 'Only members may enter, and nobody else finds it' },
      },
      async run({ owner, name = '', members_only: closed = false, ...args }) {
        const jid = addressOf(venue, args.room)
        await rooms.create(jid, {
          owner: owner.bare,
          settings: { name, persistent: true, membersOnly: closed, hidden: closed },
        })
        return { note: `${jid.text} was created` }
      },
    },
    {
      name: 'room destroy',
      summary: 'Ends a room for good; who is in it is told where it goes on',
      allow: 'admin',
      parameters: {
        room,
        reason: { kind: 'text', doc: 'Why, for those who are in it' },
        alternative: { kind: 'jid', doc: 'The room where it goes on' },
      },
      async run({ reason, alternative, ...args }) {
        const jid = addressOf(venue, args.room)
        const ending: Ending = { reason, alternative: alternative?.text }
        await rooms.deed(jid, 'destroy', ending)
        return { note: `${jid.text} was destroyed` }
      },
    },
  ]
}

function changing(venue: Venue, rooms: OwnedRooms): Command[] {
  return [
    {
      name: 'room affiliation',
      summary: 'Says what an account or a whole domain is in a room',
      allow: 'admin',
      parameters: {
        room,
        jid: { kind: 'jid', doc: 'The account or domain', positional: true, required: true },
        affiliation: {
          kind: 'choice',
          doc: 'What it is from now on',
          choices: affiliations,
          positional: true,
          required: true,
        },
        nick: { kind: 'text', doc: 'The nick that is kept for it' },
        reason: { kind: 'text', doc: 'Why, for those who are in the room' },
      },
      async run({ affiliation, nick, reason, ...args }, context) {
        const jid = addressOf(venue, args.room)
        const by = byWhom(venue, context)
        const wish: NewAffiliation = { jid: args.jid.bare.text, affiliation, nick, reason, by }
        await rooms.deed(jid, 'affiliate', wish)
        return { note: `${args.jid.bare.text} in ${jid.text}: ${affiliation}` }
      },
    },
    {
      name: 'room set',
      summary: 'Changes one setting of a room',
      allow: 'admin',
      parameters: {
        room,
        setting: {
          kind: 'choice',
          doc: 'Its name, as room show has it',
          choices: [...settingNames.keys()],
          positional: true,
          required: true,
        },
        value: { kind: 'text', doc: 'Its value; several with commas between', positional: true },
      },
      async run({ setting, value = '', ...args }) {
        const jid = addressOf(venue, args.room)
        const field = settingNames.get(setting)!
        const values = field.type === 'list-multi' ? value.split(',') : [value]
        const wishes: Wishes = [[field.field, values]]
        await rooms.deed(jid, 'configure', wishes)
        return { note: `${setting} of ${jid.text} is set` }
      },
    },
  ]
}

function byWhom(venue: Venue, { by }: CommandContext): string {
  return (by ?? venue.jid).bare.text
}

function addressOf(venue: Venue, text: string): Jid {
  const jid = Jid.tryParse(text.includes('@') ? text : `${text}@${venue.jid.domain}`)
  if (jid && jid.domain === venue.jid.domain && jid.isBare && jid.local !== '') return jid
  throw new StanzaError('item-not-found', `${text} is no room of ${venue.jid.text}`)
}
