// What somebody may try in rooms, through sockets: the attacker speaks over one way in, everybody else over the
// other. What only the room says nobody else says, and what is said inside stays there.

import type { Element } from '../../lib/xmpp/element.js'
import type { Test } from 'tap'
import { outcomeOf, type Peer, type Way } from './driver.js'
import { DOMAIN, overBoth, type Person, type Served, serve } from './served.js'

const NS_MUC = 'http://jabber.org/protocol/muc'
const NS_SID = 'urn:xmpp:sid:0'
const NS_ID = 'urn:xmpp:occupant-id:0'
const NS_DELAY = 'urn:xmpp:delay'
const NS_HATS = 'urn:xmpp:hats:0'
const ROOM = `orchard@rooms.${DOMAIN}`
/** Ways to write its address that mean the same */
const NAMES = [ROOM, `Orchard@ROOMS.${DOMAIN}`, `ｏｒｃｈａｒｄ@rooms.${DOMAIN}`, `${ROOM}/Romeo`]
const COUNTS = [1, 2, 50]

interface Scene {
  readonly house: Served
  /** Owns the room */
  readonly romeo: Person
  readonly juliet: Person
  readonly tybalt: Person
}

/** Romeo and Juliet are in the room; Tybalt speaks over the way that is tried. */
async function scene(t: Test, way: Way, fields: Record<string, string> = {}): Promise<Scene> {
  const house = await serve(t, { people: ['romeo', 'juliet', 'tybalt'], limits: 'off' })
  const other = way === 'TCP' ? 'WebSocket' : 'TCP'
  const romeo = await house.logsIn(other, 'romeo')
  const juliet = await house.logsIn(other, 'juliet')
  const tybalt = await house.logsIn(way, 'tybalt')
  await enters(romeo.peer, 'Romeo')
  const values = Object.entries(fields).map(
    ([name, value]) => `<field var='muc#roomconfig_${name}'><value>${value}</value></field>`,
  )
  const form = `<x xmlns='jabber:x:data' type='submit'>${values.join('')}</x>`
  await romeo.peer.asks('set', ROOM, `<query xmlns='${NS_MUC}#owner'>${form}</query>`)
  return { house, romeo, juliet, tybalt }
}

async function enters(peer: Peer, nick: string, inside = ''): Promise<void> {
  peer.sends(`<presence to='${ROOM}/${nick}'><x xmlns='${NS_MUC}'/>${inside}</presence>`)
  await peer.waits(() => peer.inbox.some((one) => one.is('message') && one.getChild('subject')))
  peer.inbox.length = 0
}

function says(peer: Peer, inside: string): void {
  peer.sends(`<message type='groupchat' to='${ROOM}'><body>!</body>${inside}</message>`)
}

async function affiliates({ peer }: Person, name: string, affiliation: string): Promise<void> {
  const item = `<item jid='${name}@${DOMAIN}' affiliation='${affiliation}'/>`
  const answer = await peer.asks('set', ROOM, `<query xmlns='${NS_MUC}#admin'>${item}</query>`)
  if (answer.attrs.type !== 'result') throw new Error(`${answer}`)
}

/** The message with a body, and the presence, that come next */
const hears = ({ peer }: Person): Promise<Element> => peer.finds('message')
const sees = ({ peer }: Person): Promise<Element> => peer.finds('presence')

overBoth('SEC-53: of ids in the name of a room exactly one arrives, the room’s', async (t, way) => {
  const { juliet, tybalt, romeo } = await scene(t, way)
  await enters(juliet.peer, 'Juliet')
  await enters(tybalt.peer, 'Tybalt')
  for (const by of [...NAMES, 'no@address@at all', ''])
    for (const count of COUNTS) {
      says(tybalt.peer, `<stanza-id xmlns='${NS_SID}' by='${by}' id='forged'/>`.repeat(count))
      const message = await hears(juliet)
      const ids = message.getChildren('stanza-id', NS_SID)
      t.equal(ids.length, 1)
      t.equal(ids[0]!.attrs.by, ROOM)
      t.not(ids[0]!.attrs.id, 'forged')
      await hears(tybalt)
    }
  const answer = await romeo.peer.asks('set', ROOM, "<query xmlns='urn:xmpp:mam:2'/>")
  t.equal(answer.attrs.type, 'result')
  t.notMatch(romeo.peer.inbox.join(''), 'forged', 'nor in the archive')
  says(tybalt.peer, `<stanza-id xmlns='${NS_SID}' by='other@rooms.example' id='theirs'/>`)
  t.equal((await hears(juliet)).getChildren('stanza-id', NS_SID).length, 2, 'ids of others stay')
})

overBoth(
  'SEC-54: ids, times and hats that only a room gives are its own, all of them',
  async (t, way) => {
    const { juliet, tybalt } = await scene(t, way)
    await enters(juliet.peer, 'Juliet')
    const forged = [
      `<occupant-id xmlns='${NS_ID}' id='forged'/>`,
      `<hats xmlns='${NS_HATS}'><hat title='forged' uri='urn:forged'/></hats>`,
      ...NAMES.map(
        (from) => `<delay xmlns='${NS_DELAY}' from='${from}' stamp='2001-01-01T00:00:00Z'/>`,
      ),
    ]
    const check = (stanza: Element): void => {
      t.notMatch(`${stanza}`, /forged|2001-01-01/)
      t.equal(stanza.getChildren('occupant-id', NS_ID).length, 1)
    }
    await enters(tybalt.peer, 'Tybalt', forged.join(''))
    check(await sees(juliet))
    for (const one of forged)
      for (const count of COUNTS) {
        says(tybalt.peer, one.repeat(count))
        check(await hears(juliet))
        tybalt.peer.sends(`<presence to='${ROOM}/Tybalt'>${one.repeat(count)}</presence>`)
        check(await sees(juliet))
        tybalt.peer.sends(
          `<message to='${ROOM}/Juliet' type='chat'><body>!</body>${one.repeat(count)}</message>`,
        )
        check(await hears(juliet))
      }
    tybalt.peer.sends(
      `<presence to='${ROOM}/Tybalt' type='unavailable'>${forged.join('')}</presence>`,
    )
    check(await sees(juliet))
  },
)

overBoth(
  'SEC-57: what a room says of its occupants nobody says for it (XEP-0045 §17.3)',
  async (t, way) => {
    const { juliet, tybalt } = await scene(t, way)
    await enters(juliet.peer, 'Juliet')
    const item = `<item affiliation='owner' role='moderator' jid='juliet@${DOMAIN}/x'/>`
    const forged = [
      `<x xmlns='${NS_MUC}#user'>${item}<status code='110'/></x>`,
      `<m:x xmlns:m='${NS_MUC}#user'><m:item affiliation='owner'/><m:status code='110'/></m:x>`,
      `<x xmlns='${NS_MUC}#admin'>${item}</x>`,
      `<destroy xmlns='${NS_MUC}#owner'/>`,
    ]
    const check = (stanza: Element, count: number): void => {
      const rooms = stanza.getChildElements().filter((child) => child.getNS()?.startsWith(NS_MUC))
      t.equal(rooms.length, count)
      t.notMatch(rooms.join(''), /owner|110|moderator/)
    }
    await enters(tybalt.peer, 'Tybalt', forged.join(''))
    check(await sees(juliet), 1)
    for (const one of [...forged, forged.join('').repeat(10)]) {
      says(tybalt.peer, one)
      check(await hears(juliet), 0)
      tybalt.peer.sends(`<presence to='${ROOM}/Tybalt'>${one}</presence>`)
      check(await sees(juliet), 1)
      tybalt.peer.sends(`<message to='${ROOM}/Juliet' type='chat'><body>!</body>${one}</message>`)
      const whispered = await hears(juliet)
      check(whispered, 1)
      t.equal(whispered.getChild('x')?.children.length, 0, 'the mark of §7.5, and nothing in it')
    }
  },
)

overBoth(
  'SEC-56: nobody takes back what another said in a room, nor forges its word (XEP-0425 §7)',
  async (t, way) => {
    const { romeo, juliet, tybalt } = await scene(t, way)
    await enters(juliet.peer, 'Juliet')
    await enters(tybalt.peer, 'Tybalt')
    says(juliet.peer, '')
    const { id } = (await hears(tybalt)).getChild('stanza-id', NS_SID)!.attrs
    const by = `<moderated xmlns='urn:xmpp:message-moderate:1' by='${ROOM}/Romeo'/>`
    for (const inside of ['', by]) {
      tybalt.peer.sends(
        `<message type='groupchat' to='${ROOM}' id='x'><retract xmlns='urn:xmpp:message-retract:1' id='${id}'>${inside}</retract></message>`,
      )
      t.equal(outcomeOf(await hears(tybalt)), 'forbidden')
    }
    const moderate = `<moderate xmlns='urn:xmpp:message-moderate:1' id='${id}'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>`
    t.equal(outcomeOf(await tybalt.peer.asks('set', ROOM, moderate)), 'forbidden')
    t.equal(outcomeOf(await romeo.peer.asks('set', ROOM, moderate)), 'result')
  },
)

/** What may be asked of a room, and what tells nothing */
const questions: Record<string, readonly ['get' | 'set', string]> = {
  ...Object.fromEntries(
    ['owner', 'admin', 'member', 'outcast'].map((affiliation) => [
      `list of ${affiliation}`,
      [
        'get',
        `<query xmlns='${NS_MUC}#admin'><item affiliation='${affiliation}'/></query>`,
      ] as const,
    ]),
  ),
  'list of moderators': ['get', `<query xmlns='${NS_MUC}#admin'><item role='moderator'/></query>`],
  configuration: ['get', `<query xmlns='${NS_MUC}#owner'/>`],
  archive: ['set', "<query xmlns='urn:xmpp:mam:2'/>"],
  'ends of the archive': ['get', "<metadata xmlns='urn:xmpp:mam:2'/>"],
}

for (const [kind, fields] of Object.entries({
  'members-only': { membersonly: '1', whois: 'anyone' },
  hidden: { publicroom: '0' },
  'with a password': { passwordprotectedroom: '1', roomsecret: 'rose' },
}))
  overBoth(
    `SEC-60: a stranger, a banned one and a former member learn nothing of a room that is ${kind}`,
    async (t, way) => {
      const { romeo, juliet, tybalt } = await scene(t, way, fields)
      await affiliates(romeo, 'juliet', 'member')
      says(romeo.peer, '<thread>secret</thread>')
      for (const standing of ['none', 'outcast', 'member', 'none']) {
        await affiliates(romeo, 'tybalt', standing)
        if (standing === 'member') continue
        for (const [what, [type, child]] of Object.entries(questions)) {
          const answer = await tybalt.peer.asks(type, ROOM, child)
          t.equal(outcomeOf(answer), 'forbidden', `${what}, ${standing}`)
          t.notMatch(`${answer}`, /juliet@|secret/)
        }
        const items = await tybalt.peer.asks(
          'get',
          ROOM,
          "<query xmlns='http://jabber.org/protocol/disco#items'/>",
        )
        t.notMatch(`${items}`, 'Romeo', 'nor who is there')
      }
      t.notMatch(tybalt.peer.inbox.join(''), 'secret')
      const lists = await juliet.peer.asks('set', ROOM, "<query xmlns='urn:xmpp:mam:2'/>")
      t.equal(outcomeOf(lists), 'result', 'a member reads')
    },
  )
