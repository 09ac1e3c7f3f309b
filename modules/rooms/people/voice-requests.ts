// Who has no voice asks for one (XEP-0045 §7.13), and a moderator gives it or does not (§8.6). The room remembers
// nothing of it: the moderator's form says who asked.

import { StanzaError } from '../../../lib/xmpp/errors.js'
import { type Field, form, NS_FORMS, readForm } from '../../../lib/xmpp/forms.js'
import { xml } from '../../../lib/xmpp/element.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { checkPace } from '../asking-pace.js'
import type { RoomFeature, Visit } from '../feature.js'
import { mustBeHere } from '../going.js'
import type { Occupant } from '../occupants.js'
import { NS_MUC } from '../presences.js'
import { actorOf, checkRole } from './privileges.js'
import type { Room } from '../room.js'
import { isRole } from '../standing.js'
import { changeRoles } from './standing-changes.js'

export const REQUEST = `${NS_MUC}#request`

type Values = ReadonlyMap<string, readonly string[]>

export const voiceRequests: RoomFeature = {
  name: 'voice requests',
  features: () => [REQUEST],
  async told({ room, ...visit }) {
    const x = visit.envelope.stanza.child('x', NS_FORMS)
    const submitted = x && readForm(x)
    if (submitted?.values.get('FORM_TYPE')?.[0] !== REQUEST) return false
    // §8.6: one that is passed over is no answer.
    if (submitted.type === 'cancel') return true
    if (submitted.values.has('muc#request_allow')) await decide(room, visit, submitted.values)
    else ask(room, visit, submitted.values)
    return true
  },
}

function ask(room: Room, visit: Visit, values: Values): void {
  const { occupant } = mustBeHere(room, visit)
  if (values.get('muc#role')?.[0] !== 'participant')
    throw new StanzaError('bad-request', 'only a voice can be asked for')
  if (!room.settings.mayRequestVoice)
    throw new StanzaError('not-allowed', 'nobody asks for a voice here')
  if (occupant.role !== 'visitor') return
  checkPace(room.venue, occupant.account, 'voice')
  const moderators = [...room.occupants.all()].filter(({ role }) => role === 'moderator')
  const to = moderators.flatMap(({ visitors }) => visitors)
  room.send(approval(room, occupant), room.jid, to)
}

function approval({ venue }: Room, { jid, visitors }: Occupant): Stanza {
  const fields: readonly Field[] = [
    {
      ...{ name: 'muc#role', type: 'list-single', label: 'Requested role', value: 'participant' },
      options: [{ value: 'participant', label: 'Participant' }],
    },
    { name: 'muc#jid', type: 'jid-single', label: 'Address', value: visitors[0]!.jid.text },
    { name: 'muc#roomnick', type: 'text-single', label: 'Nick', value: jid.resource },
    {
      ...{ name: 'muc#request_allow', type: 'boolean', value: 'false' },
      label: 'Give a voice to this person?',
    },
  ]
  const title = 'Somebody asks for a voice'
  const x = form({ type: 'form', of: REQUEST, title, fields })
  return Stanza.of(xml('message', { id: venue.host.random.id() }, x))
}

/** The standing of who decides is as it is now, not as it was when he was asked. */
async function decide(room: Room, visit: Visit, values: Values): Promise<void> {
  const actor = actorOf(room, visit.envelope.from)
  if (!actor.isModerator) throw new StanzaError('forbidden', 'only moderators may do that')
  if (!['1', 'true'].includes(values.get('muc#request_allow')?.[0] ?? '')) return
  const role = values.get('muc#role')?.[0] ?? 'participant'
  if (!isRole(role) || role === 'none') throw new StanzaError('bad-request')
  const occupant = whoAsked(room, values)
  if (!occupant) throw new StanzaError('item-not-found', 'whoever asked is not here any more')
  checkRole(room, { occupant, role }, actor)
  await changeRoles(room, [{ occupant, role }], actor.nick)
}

/** By address: a nick may be somebody else's meanwhile. */
function whoAsked({ occupants }: Room, values: Values): Occupant | undefined {
  const jid = Jid.tryParse(values.get('muc#jid')?.[0])
  return jid ? occupants.of(jid) : occupants.byNick(values.get('muc#roomnick')?.[0] ?? '')
}
