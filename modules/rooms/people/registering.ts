// Registering with a room (XEP-0045 §7.10): one becomes a member under a nick that nobody else may take; at once
// where everybody may come in anyway, by an admin's leave where only members may (§9.9). What the admin needs to
// know is in the form that he sends back: the room remembers nothing.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { form, NS_FORMS, readForm } from '../../../lib/xmpp/forms.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { affiliate } from './administering.js'
import { checkPace } from '../asking-pace.js'
import { readNick } from '../entering.js'
import type { RoomFeature, RoomRequest, Visit } from '../feature.js'
import { useLockedNick } from '../presence-changes.js'
import { NS_MUC } from '../presences.js'
import { actorOf, checkAffiliations, mustBeAdmin } from './privileges.js'
import type { Room } from '../room.js'
import { isAtLeast } from '../standing.js'

const NS_REGISTER = 'jabber:iq:register'
const REGISTER = `${NS_MUC}#register`
const NICK = 'muc#register_roomnick'
const ALLOW = 'muc#register_allow'
/** §7.12 */
const OWN_NICK = 'x-roomuser-item'

/** LIM-room-admins-asked: how many hear of one request */
const MOST_ASKED = 20

type Values = ReadonlyMap<string, readonly string[]>

export const registering: RoomFeature = {
  name: 'registering',
  iq: [
    { get: 'query', xmlns: NS_REGISTER, reads: true, answer: show },
    { set: 'query', xmlns: NS_REGISTER, answer: take },
  ],
  features: ({ settings }) => (settings.membersMayRegister ? [NS_REGISTER, REGISTER] : []),
  nodeInfo({ room, from }, node) {
    if (node !== OWN_NICK) return undefined
    const name = room.affiliations.entry(from)?.nick
    return name ? [xml('identity', { category: 'conference', type: 'text', name })] : []
  },
  async told({ room, ...visit }) {
    const x = visit.envelope.stanza.child('x', NS_FORMS)
    const submitted = x && readForm(x)
    if (submitted?.values.get('FORM_TYPE')?.[0] !== REGISTER) return false
    if (submitted.type === 'submit') await decide(room, visit, submitted.values)
    return true
  },
}

/** Who belongs to the room may always have a nick there. */
function mustBeAllowed({ room, affiliation }: RoomRequest): void {
  if (isAtLeast(affiliation, 'member')) return
  if (affiliation === 'outcast' || !room.settings.membersMayRegister || room.locked)
    throw new StanzaError('not-allowed', 'you may not register with this room')
}

function show(request: RoomRequest): Element {
  mustBeAllowed(request)
  const { room, from, affiliation } = request
  const nick = room.affiliations.entry(from)?.nick
  const known = isAtLeast(affiliation, 'member')
  return xml(
    'query',
    NS_REGISTER,
    known ? xml('registered') : undefined,
    known ? xml('username', {}, nick ?? '') : undefined,
    xml('instructions', {}, 'Say under which nick you want to be known here.'),
    registrationForm(nick ?? request.occupant?.jid.resource),
  )
}

function registrationForm(value: string | undefined): Element {
  const nick = { name: NICK, type: 'text-single', label: 'Nick', required: true } as const
  return form({
    type: 'form',
    of: REGISTER,
    title: 'Registration',
    fields: [{ ...nick, ...(value !== undefined && { value }) }],
  })
}

async function take(request: RoomRequest): Promise<void> {
  const { room, element } = request
  if (element.getChild('remove')) return remove(request)
  const submitted = readForm(element, REGISTER)
  if (!submitted) throw new StanzaError('bad-request', 'a form is wanted')
  if (submitted.type === 'cancel') return
  mustBeAllowed(request)
  const text = submitted.values.get(NICK)?.[0]
  if (!text) throw new StanzaError('bad-request', 'a nick is wanted')
  await register(request, readNick(room, text))
}

async function register({ room, from, affiliation }: RoomRequest, nick: string): Promise<void> {
  const known = isAtLeast(affiliation, 'member')
  // Whoever runs the service is an owner everywhere, and on no list.
  const own = room.affiliations.entry(from)?.affiliation
  const change = { jid: from.bare, affiliation: own ?? 'member', nick } as const
  checkAffiliations(room, [change], { ...actorOf(room, from), affiliation: 'owner' })
  if (!known && room.settings.membersOnly) return askAdmins(room, from.bare, nick)
  await affiliate(room, [change], { account: from.bare })
  useLockedNick(room, from.bare)
}

/** XEP-0077 §3.2: a member is none any more; who is more than that only gives up the nick. */
async function remove({ room, from }: RoomRequest): Promise<void> {
  const entry = room.affiliations.entry(from)
  if (!entry || !isAtLeast(entry.affiliation, 'member'))
    throw new StanzaError('registration-required', 'you are not registered with this room')
  const affiliation = entry.affiliation === 'member' ? 'none' : entry.affiliation
  await affiliate(room, [{ jid: from.bare, affiliation, nick: '' }], { account: from.bare })
}

/** §9.9: to their accounts, so that who is away finds it later */
function askAdmins(room: Room, account: Jid, nick: string): void {
  checkPace(room.venue, account, 'membership')
  const { affiliations, venue } = room
  const admins = [...affiliations.all('owner'), ...affiliations.all('admin')].slice(0, MOST_ASKED)
  const body = xml(
    'body',
    {},
    `${account.text} wants to be a member of ${room.jid.text} as ${nick}`,
  )
  const fields = [
    { name: 'muc#jid', type: 'jid-single', label: 'Address', value: account.text },
    { name: NICK, type: 'text-single', label: 'Nick', value: nick },
    { name: ALLOW, type: 'boolean', label: 'May this person be a member?', value: '0' },
  ] as const
  const asked = form({ type: 'form', of: REGISTER, title: 'Somebody wants to be a member', fields })
  for (const { jid } of admins) {
    const message = Stanza.of(xml('message', { id: venue.host.random.id() }, body, asked))
    venue.host.router.send(message, { from: room.jid, to: jid })
  }
}

/** Admins may make members: this is only another way to say it. */
async function decide(room: Room, { envelope }: Visit, values: Values): Promise<void> {
  const actor = actorOf(room, envelope.from)
  mustBeAdmin(actor)
  if (!['1', 'true'].includes(values.get(ALLOW)?.[0] ?? '')) return
  const jid = Jid.tryParse(values.get('muc#jid')?.[0])?.bare
  const nick = values.get(NICK)?.[0]
  if (!jid || jid.isDomain || !nick) throw new StanzaError('bad-request')
  if (isAtLeast(room.affiliationOf(jid), 'member')) return
  const change = { jid, affiliation: 'member', nick: readNick(room, nick) } as const
  checkAffiliations(room, [change], actor)
  await affiliate(room, [change], actor)
}
