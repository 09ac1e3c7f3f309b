// What somebody does who is in a room (XEP-0045 §7.3 to §7.7, §7.14, §8.1), and how he is lost (§11.1).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import {
  enteringRole,
  MOST_GIVEN,
  rememberRole,
} from '../../../modules/rooms/people/given-roles.js'
import type { Room } from '../../../modules/rooms/room.js'
import type { Client } from '../../world/client.js'
import {
  codes,
  condition,
  enters,
  heard,
  item,
  NS_ADMIN,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'

function presences(client: Client, nick: string): Element[] {
  const from = `${ROOM}/${nick}`
  return client.inbox.filter((one) => one.is('presence') && one.attrs.from === from)
}

function subject(client: Client, text: string): void {
  client.sends(`<message to='${ROOM}' type='groupchat'><subject>${text}</subject></message>`)
}

function role(client: Client, nick: string, to: string): Promise<Element> {
  const change = `<item nick='${nick}' role='${to}'/>`
  return client.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${change}</query>`)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = { nodes, spread: nodes === 2 }

  test(`another nick is a going and a coming (XEP-0045 §7.6, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    juliet.sends(`<presence to='${ROOM}/Rose'/>`)
    await w.settle()
    for (const client of [romeo, juliet]) {
      const own = client === juliet ? ['110'] : []
      const [gone] = presences(client, 'Juliet')
      t.equal(gone?.attrs.type, 'unavailable')
      t.same(codes(gone!), ['303', ...own])
      t.match(item(gone!), { nick: 'Rose', role: 'participant' })
      t.same(codes(presences(client, 'Rose')[0]!), own)
    }
    await juliet.clears()
    juliet.sends(`<presence to='${ROOM}/Romeo'/>`)
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'conflict')
    says(juliet, 'I am Rose')
    const said = await romeo.finds('<message><body>I am Rose</body></message>')
    t.equal(said.attrs.from, `${ROOM}/Rose`)
  })

  test(`visitors change neither nick nor status where the owner says so (§7.6, §8.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const fields = {
      moderatedroom: '1',
      'tercet#roomconfig_visitornick': '0',
      'tercet#roomconfig_visitorstatus': '0',
    }
    await opened(w, { Romeo: romeo }, { fields })
    await enters(juliet, 'Juliet', { more: '<status>buy</status><show>away</show>' })
    const [shown] = presences(romeo, 'Juliet')
    t.notOk(shown?.getChild('status'), 'not when entering')
    t.equal(shown?.getChildText('show'), 'away')
    await romeo.clears()
    juliet.sends(`<presence to='${ROOM}/Juliet'><status>this</status></presence>`)
    await w.settle()
    t.notOk(presences(romeo, 'Juliet')[0]?.getChild('status'), 'nor later')
    juliet.sends(`<presence to='${ROOM}/Rose'/>`)
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'not-allowed')
  })

  test(`everybody sees how available somebody is (§7.7, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const away = '<show>xa</show><status>gone where the goblins go</status>'
    juliet.sends(`<presence to='${ROOM}/Juliet'>${away}</presence>`)
    await w.settle()
    for (const client of [romeo, juliet]) {
      const [seen] = presences(client, 'Juliet')
      t.equal(seen?.getChildText('show'), 'xa')
      t.match(item(seen!), { affiliation: 'none', role: 'participant' })
    }
  })

  test(`whose presence is not shown is seen by himself alone (§5.1, §7.2.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const fields = { moderatedroom: '1', presencebroadcast: ['moderator', 'participant'] }
    await opened(w, { Romeo: romeo }, { fields })
    await enters(juliet, 'Juliet')
    t.equal(presences(juliet, 'Juliet').length, 1)
    t.same(presences(romeo, 'Juliet'), [])
    await role(romeo, 'Juliet', 'participant')
    t.equal(presences(romeo, 'Juliet').length, 1, 'until he has a voice')
  })

  test(`who is seen is also seen losing the role in which he was, and going (§8.4, §7.14, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet, nurse } = w
    const fields = { presencebroadcast: ['moderator', 'participant'] }
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields })
    await role(romeo, 'Juliet', 'visitor')
    t.same(presences(romeo, 'Juliet').map(item), [
      { affiliation: 'none', role: 'visitor', jid: juliet.jid },
    ])
    await romeo.clears()
    juliet.sends(`<presence to='${ROOM}/Juliet'><status>still here</status></presence>`)
    await w.settle()
    t.same(presences(romeo, 'Juliet'), [], 'what he does then is not shown')
    await enters(nurse, 'Nurse')
    t.same(presences(nurse, 'Juliet'), [])
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await w.settle()
    t.same(
      presences(romeo, 'Juliet').map(({ attrs }) => attrs.type),
      ['unavailable'],
    )
  })

  test(`the subject is changed by whoever may, and newcomers are told it last (§7.3, §8.1, §7.2.15, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet })
    subject(juliet, 'Plague')
    t.equal(condition(await juliet.finds("<message type='error'/>")), 'forbidden')
    subject(romeo, 'Light')
    const told = await juliet.finds('<message><subject>Light</subject></message>')
    t.equal(told.attrs.from, `${ROOM}/Romeo`)
    const both = '<subject>Not this</subject><body>text</body>'
    romeo.sends(`<message to='${ROOM}' type='groupchat'>${both}</message>`)
    await enters(mercutio, 'Mercutio')
    const last = mercutio.inbox.at(-1)!
    t.equal(last.getChildText('subject'), 'Light')
    t.equal(last.attrs.from, `${ROOM}/Romeo`)
    t.equal(last.getChild('delay', 'urn:xmpp:delay')?.attrs.from, ROOM)
    await mercutio.clears()
    await mercutio.leaves()
    subject(romeo, '')
    await w.settle()
    const again = await w.device('mercutio')
    await enters(again, 'Mercutio')
    t.equal(again.inbox.at(-1)?.getChildText('subject'), '', 'taken away')
    t.ok(again.inbox.at(-1)?.getChild('delay'))
  })

  test(`only who is here and has a voice speaks to all (§7.4, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { moderatedroom: '1' } })
    says(juliet, 'no voice')
    t.equal(condition(await juliet.finds("<message type='error'/>")), 'forbidden')
    says(mercutio, 'not here')
    t.equal(condition(await mercutio.finds("<message type='error'/>")), 'not-acceptable')
    romeo.sends(`<message to='${ROOM}' type='chat'><body>what type</body></message>`)
    t.equal(condition(await romeo.finds("<message type='error'/>")), 'bad-request')
    t.same(await heard(romeo), [])
  })

  test(`a voice that was given or taken outlasts a visit (§5.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { moderatedroom: '1' } })
    const comes = async (): Promise<string | undefined> => {
      juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
      await juliet.clears()
      await enters(juliet, 'Juliet')
      return item(presences(juliet, 'Juliet')[0]!).role
    }
    await role(romeo, 'Juliet', 'participant')
    t.equal(await comes(), 'participant')
    await role(romeo, 'Juliet', 'visitor')
    t.equal(await comes(), 'visitor')
    await role(romeo, 'Juliet', 'moderator')
    t.equal(await comes(), 'visitor', 'who moderates is an admin’s to say each time')
  })

  test(`who refuses presence has gone, and whose message is refused has not (§11.1, §18.1.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, options)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const blocked =
      "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
    juliet.sends(`<message to='${ROOM}/Romeo' type='error' id='m'>${blocked}</message>`)
    await w.settle()
    t.same(presences(romeo, 'Juliet'), [], 'nobody sends out whoever blocks him')
    juliet.sends(`<presence to='${ROOM}/Romeo' type='error'>${blocked}</presence>`)
    await w.settle()
    for (const client of [romeo, juliet]) {
      const [gone] = presences(client, 'Juliet')
      t.equal(gone?.attrs.type, 'unavailable')
      t.same(codes(gone!), client === juliet ? ['333', '110'] : ['333'])
    }
  })
}

test('of voices that were given a room remembers the last ones (LIM-given-roles)', async (t) => {
  const memo = new Map<symbol, unknown>()
  const settings = { moderated: true }
  const room = { memo, settings, affiliationOf: () => 'none' } as unknown as Room
  const account = (at: number): Jid => Jid.parse(`p${at}@x.example`)
  for (let at = 0; at <= MOST_GIVEN; at++) rememberRole(room, account(at), 'participant')
  t.equal(enteringRole(room, account(0)), 'visitor', 'the first is forgotten')
  t.equal(enteringRole(room, account(1)), 'participant')
  t.equal([...memo.values()].map((given) => (given as Map<string, string>).size)[0], MOST_GIVEN)
})
