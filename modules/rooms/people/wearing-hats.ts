// Hats (XEP-0317): admins of a room make them and give them to people by commands of the room; everybody sees
// in the presence of an occupant which are worn. What a client says about hats itself is never passed on.

import { StanzaError } from '../../../lib/xmpp/errors.js'
import { type Field, form, table } from '../../../lib/xmpp/forms.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { RoomFeature, RoomRequest } from '../feature.js'
import type { HatStore } from './hat-store.js'
import { checkedHat, Hats, type Worn } from './hats.js'
import { tellCodes } from '../setup/owning.js'
import { NS_HATS } from '../presences.js'
import type { Room } from '../room.js'
import type { Given, RoomCommand } from '../setup/room-commands.js'
import { isAtLeast } from '../standing.js'
import { showPresent } from '../telling.js'

const COMMANDS = 'urn:xmpp:hats:commands'

const key = Symbol('hats')

function hatsOf({ memo }: Room): Hats {
  const known = memo.get(key) as Hats | undefined
  if (known) return known
  const none = new Hats()
  memo.set(key, none)
  return none
}

export function hats(store: HatStore): RoomFeature {
  return {
    name: 'hats',
    features: () => [NS_HATS],
    info: (room) => {
      const hash = hatsOf(room).hash()
      return hash === '' ? [] : [{ name: 'hats#hash', type: 'text-single', value: hash }]
    },
    decorate: (room, { account }) => hatsOf(room).wireOf(account),
    commands: [...making(store), ...wearing(store), ...lists],
    async taken(room) {
      room.memo.set(key, await store.read(room.number))
    },
    destroyed: (room, entry) => store.remove(entry, room.number),
    forget: (account, trx) => store.forget(account.text, trx),
    forgotten: (room, account) => hatsOf(room).forget(account.text),
  }
}

function isAdmin({ affiliation }: RoomRequest): boolean {
  return isAtLeast(affiliation, 'admin')
}

const title: Field = { name: 'hats#title', type: 'text-single', label: 'Title', required: true }
const uri: Field = { name: 'hats#uri', type: 'text-single', label: 'URI', required: true }
const hue: Field = { name: 'hats#hue', type: 'text-single', label: 'Hue, an angle' }
const jid: Field = { name: 'hats#jid', type: 'jid-single', label: 'Who', required: true }

function choice(room: Room): Field {
  const options = hatsOf(room)
    .all()
    .map((hat) => ({ value: hat.uri, label: hat.title }))
  return { name: 'hats#uri', type: 'list-single', label: 'Hat', required: true, options }
}

function command(
  name: string,
  does: { title: string; fields(room: Room): Field[]; run: RoomCommand['run'] },
): RoomCommand {
  const { title, fields, run } = does
  const shown = (room: Room) => form({ type: 'form', of: COMMANDS, title, fields: fields(room) })
  return {
    ...{ node: `${COMMANDS}:${name}`, name: title, of: COMMANDS, may: isAdmin, form: shown, run },
  }
}

/** XEP-0317 §3.2, §3.3 */
function making(store: HatStore): RoomCommand[] {
  return [
    command('create', {
      title: 'Make or change a hat',
      fields: () => [title, uri, hue],
      async run({ room }, given) {
        const hat = checkedHat({
          ...{ uri: given('hats#uri'), title: given('hats#title'), hue: given('hats#hue') },
        })
        const all = hatsOf(room)
        all.checkRoomForHat(hat.uri)
        await room.commit((entry) => store.put(entry, room.number, hat))
        all.set(hat)
        show(room, all.worn(hat.uri))
        tellCodes(room, [104])
      },
    }),
    command('destroy', {
      title: 'Destroy a hat',
      fields: (room) => [choice(room)],
      async run({ room }, given) {
        const all = hatsOf(room)
        const hat = all.get(given('hats#uri'))
        await room.commit((entry) => store.destroy(entry, room.number, hat.uri))
        const worn = all.worn(hat.uri)
        all.destroy(hat.uri)
        show(room, worn)
        tellCodes(room, [104])
      },
    }),
  ]
}

/** XEP-0317 §3.5, §3.6 */
function wearing(store: HatStore): RoomCommand[] {
  return [
    command('assign', {
      title: 'Give somebody a hat',
      fields: (room) => [jid, choice(room)],
      async run({ room }, given) {
        const all = hatsOf(room)
        const worn = { jid: account(given), uri: all.get(given('hats#uri')).uri }
        if (all.wears(worn)) return
        all.checkRoomForWearer(worn.jid)
        await room.commit((entry) => store.assign(entry, room.number, worn))
        all.assign(worn)
        show(room, [worn])
      },
    }),
    command('unassign', {
      title: 'Take a hat from somebody',
      fields: (room) => [jid, choice(room)],
      async run({ room }, given) {
        const all = hatsOf(room)
        const worn = { jid: account(given), uri: given('hats#uri') }
        if (!all.wears(worn))
          throw new StanzaError('item-not-found', 'nobody of that name wears it')
        await room.commit((entry) => store.unassign(entry, room.number, worn))
        all.unassign(worn)
        show(room, [worn])
      },
    }),
  ]
}

function account(given: Given): string {
  const who = Jid.tryParse(given('hats#jid'))
  if (!who) throw new StanzaError('jid-malformed', 'whose hat is it?')
  return who.bare.text
}

/** Of those who are here */
function show(room: Room, worn: readonly Worn[]): void {
  for (const { jid } of worn)
    for (const occupant of [...room.occupants.ofAccount(Jid.parse(jid))])
      showPresent(room, occupant)
}

const columns = ['hats#title', 'hats#uri', 'hats#hue'].map((name) => ({ name }))

/** XEP-0317 §3.4, §3.7. Who wears what says who people are: that is for admins. */
const lists: readonly RoomCommand[] = [
  {
    node: `${COMMANDS}:list`,
    name: 'List hats',
    may: ({ occupant, affiliation }) => occupant !== undefined || isAtLeast(affiliation, 'member'),
    run: ({ room }) => table(columns, hatsOf(room).all().map(hatRow)),
  },
  {
    node: `${COMMANDS}:list-assigned`,
    name: 'List who wears which hat',
    may: isAdmin,
    run({ room }) {
      const all = hatsOf(room)
      const rows = all.worn().map(({ jid, uri }) => ({ 'hats#jid': jid, ...hatRow(all.get(uri)) }))
      return table([{ name: 'hats#jid' }, ...columns], rows)
    },
  },
]

function hatRow(hat: { uri: string; title: string; hue: string }): Record<string, string> {
  return { 'hats#title': hat.title, 'hats#uri': hat.uri, 'hats#hue': hat.hue }
}
