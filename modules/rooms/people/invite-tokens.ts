// Tokens for inviting people whose address nobody knows (XEP-0488): given in place of a password, once, by
// somebody without any standing, who is a member from then on. A token is worth what its maker may do: who may
// not invite any more has made none.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import { MOST_AFFILIATIONS } from '../affiliations.js'
import type { RoomFeature, RoomRequest, Visit } from '../feature.js'
import { NS_MUC } from '../presences.js'
import type { Room } from '../room.js'
import { isAtLeast } from '../standing.js'
import { changeAffiliations } from './standing-changes.js'
import type { Token, TokenStore } from './token-store.js'

const NS_TOKENS = 'urn:xmpp:muc-token-invite:0'
const SECOND = 1000
const DAY = 86_400
/** Seconds that a token lives where nobody says, and at most (§7) */
const USUAL_LIFE = 7 * DAY
const LONGEST_LIFE = 30 * DAY
const MOST_USES = 1000
/** LIM-invite-tokens: of one room, and of one maker in it */
const MOST_TOKENS = 200
const MOST_OF_ONE = 10

const key = Symbol('tokens')

type Tokens = Map<string, Token>

function tokensOf({ memo }: Room): Tokens {
  const known = memo.get(key) as Tokens | undefined
  if (known) return known
  const none: Tokens = new Map()
  memo.set(key, none)
  return none
}

export function inviteTokens(store: TokenStore): RoomFeature {
  return {
    name: 'invite tokens',
    iq: [
      { set: 'request', xmlns: NS_TOKENS, answer: issue },
      { get: 'tokens', xmlns: NS_TOKENS, reads: true, answer: list },
      { set: 'revoke', xmlns: NS_TOKENS, answer: revoke },
    ],
    features: () => [NS_TOKENS],
    knocking: (room, visit) => use(store, room, visit),
    async taken(room) {
      const all = await store.all(room.number)
      room.memo.set(key, new Map(all.map((token) => [token.token, token])))
    },
    destroyed: (room, entry) => store.clear(entry, room.number),
    forget: (account, trx) => store.forget(account.text, trx),
    forgotten(room, { text }) {
      const tokens = tokensOf(room)
      for (const { token, creator } of tokens.values()) if (creator === text) tokens.delete(token)
    },
  }

  /** §3.2, §3.3 */
  async function issue(request: RoomRequest): Promise<Element> {
    const { room, element, from } = request
    if (!mayInvite(room, from))
      throw new StanzaError('forbidden', 'you may not invite to this room')
    if (room.settings.password !== '')
      throw new StanzaError('not-allowed', 'this room has a password that lets people in')
    const { clock, random } = room.venue.host
    const ended = tidied(room)
    checkSpace(room, from.bare.text)
    const life = Math.min(count(element.attrs.delay) ?? USUAL_LIFE, LONGEST_LIFE)
    const uses = count(element.attrs.counter)
    const token: Token = {
      token: random.bytes(24).toString('base64url'),
      creator: from.bare.text,
      expires: clock.now() + life * SECOND,
      uses: uses === undefined ? -1 : Math.min(uses, MOST_USES),
    }
    await room.commit((entry) => {
      if (ended.length > 0) store.remove(entry, room.number, ended)
      store.put(entry, room.number, token)
    })
    tokensOf(room).set(token.token, token)
    return tokenElement(token, { now: clock.now(), creator: undefined, xmlns: NS_TOKENS })
  }

  /** §3.7 */
  async function revoke(request: RoomRequest): Promise<void> {
    const { room, element, from } = request
    if (!mayInvite(room, from)) throw new StanzaError('forbidden', 'you have no tokens here')
    const token = tokensOf(room).get(element.getText().trim())
    if (!token || !isTheirs(request, token))
      throw new StanzaError('item-not-found', 'there is no such token')
    await room.commit((entry) => store.remove(entry, room.number, [token.token]))
    tokensOf(room).delete(token.token)
  }
}

/** §3.6: those that may be taken back by whoever asks */
function list(request: RoomRequest): Element {
  const { room, from } = request
  const now = room.venue.host.clock.now()
  const shown = [...tokensOf(room).values()].filter(
    (token) => token.expires > now && isTheirs(request, token),
  )
  return xml(
    'tokens',
    NS_TOKENS,
    ...shown.map((token) => {
      const creator = token.creator === from.bare.text ? undefined : token.creator
      return tokenElement(token, { now, creator, xmlns: undefined })
    }),
  )
}

/** §7: those who lead the room may take back any. */
function isTheirs({ from, affiliation, occupant }: RoomRequest, { creator }: Token): boolean {
  const leads = isAtLeast(affiliation, 'admin') || occupant?.role === 'moderator'
  return leads || creator === from.bare.text
}

/** A token makes members: no less is needed to make it. */
function mayInvite(room: Room, account: Jid): boolean {
  const affiliation = room.affiliationOf(account)
  if (isAtLeast(affiliation, 'admin')) return true
  return room.settings.anyoneMayInvite && affiliation === 'member'
}

function checkSpace(room: Room, creator: string): void {
  const all = [...tokensOf(room).values()]
  const own = all.filter((token) => token.creator === creator)
  if (all.length >= MOST_TOKENS || own.length >= MOST_OF_ONE)
    throw new StanzaError('resource-constraint', 'there are too many tokens for this room')
}

/** Those that have ended, which nobody remembers any longer */
function tidied(room: Room): string[] {
  const tokens = tokensOf(room)
  const now = room.venue.host.clock.now()
  const ended = [...tokens.values()].filter(({ expires }) => expires <= now)
  for (const { token } of ended) tokens.delete(token)
  return ended.map(({ token }) => token)
}

/** xs:unsignedInt; what is none, or nothing, is as if it were not there. */
function count(text: unknown): number | undefined {
  const number = typeof text === 'string' && /^\d{1,10}$/.test(text) ? Number(text) : 0
  return number > 0 ? number : undefined
}

function tokenElement(
  { token, expires, uses }: Token,
  { now, creator, xmlns }: { now: number; creator: string | undefined; xmlns: string | undefined },
): Element {
  const delay = String(Math.ceil((expires - now) / SECOND))
  const counter = uses < 0 ? undefined : String(uses)
  return xml('token', { xmlns, delay, counter, creator }, token)
}

/** §3.5, §4: whoever has a standing needs none, and uses none up. */
async function use(store: TokenStore, room: Room, { envelope }: Visit): Promise<void> {
  const given = envelope.stanza.child('x', NS_MUC)?.getChildText('password')
  const { settings, locked } = room
  if (!given || settings.password !== '' || locked) return
  const { from } = envelope
  if (room.affiliationOf(from) !== 'none') return
  const token = tokensOf(room).get(given)
  if (!token || token.expires <= room.venue.host.clock.now() || !isGood(room, token)) {
    if (!settings.membersOnly) return
    throw new StanzaError('not-authorized', 'this token does not let anybody in', {
      application: { name: 'expired-token', xmlns: NS_TOKENS },
    })
  }
  await spend(store, room, token)
  await changeAffiliations(room, [{ jid: from.bare, affiliation: 'member' }])
}

function isGood(room: Room, { creator }: Token): boolean {
  return mayInvite(room, Jid.parse(creator)) && room.affiliations.size < MOST_AFFILIATIONS
}

/** On disk before anybody is let in: it is never used more often than it may be. */
async function spend(store: TokenStore, room: Room, token: Token): Promise<void> {
  if (token.uses < 0) return
  const left = { ...token, uses: token.uses - 1 }
  await room.commit((entry) => {
    if (left.uses === 0) store.remove(entry, room.number, [left.token])
    else store.put(entry, room.number, left)
  })
  if (left.uses === 0) tokensOf(room).delete(left.token)
  else tokensOf(room).set(left.token, left)
}
