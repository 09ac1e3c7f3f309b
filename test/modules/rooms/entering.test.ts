// Entering a room (XEP-0045 §7.2) and leaving it (§7.14).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import {
  codes,
  condition,
  configures,
  enters,
  heard,
  item,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'

function from(element: Element): string {
  return String(element.attrs.from)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`whoever comes first makes the room, and it is locked until it is configured (XEP-0045 §10.1, ${where})`, async (t) => {
    const { romeo, juliet } = await roomsWorld(t, { nodes, spread })
    await enters(romeo, 'Romeo')
    const self = await romeo.finds(`<presence from='${ROOM}/Romeo'/>`)
    t.same(codes(self).sort(), ['110', '170', '201'])
    t.match(item(self), { affiliation: 'owner', role: 'moderator', jid: romeo.jid })
    await romeo.finds(`<message from='${ROOM}' type='groupchat'><subject/></message>`)

    await enters(juliet, 'Juliet')
    t.equal(condition(await juliet.finds("<presence type='error'/>")), 'item-not-found')

    t.equal((await configures(romeo)).attrs.type, 'result')
    await enters(juliet, 'Juliet')
    const seen = juliet.inbox.filter((element) => element.is('presence'))
    t.same(
      seen.map(from),
      [`${ROOM}/Romeo`, `${ROOM}/Juliet`],
      'those who are here first, then oneself (§7.1)',
    )
    t.notOk(item(seen[0]!).jid, 'a room is semi-anonymous unless its owner says otherwise (§4.2)')
    t.same(codes(seen[1]!).sort(), ['110', '170'])
    const shown = await romeo.finds(`<presence from='${ROOM}/Juliet'/>`)
    t.equal(item(shown).jid, juliet.jid, 'moderators see who it is')
  })

  test(`what is said reaches everybody in one order, and newcomers hear it (§7.4, §7.2.13, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    says(romeo, 'one', { id: 'a' })
    says(juliet, 'two', { id: 'b' })
    await w.settle()
    const reflected = romeo.inbox.find(({ attrs }) => attrs.id === 'a')
    t.equal(reflected?.attrs.from, `${ROOM}/Romeo`)
    t.ok(reflected?.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.id)
    const order = await heard(romeo)
    t.same([...order].sort(), ['one', 'two'])
    t.same(await heard(juliet), order)

    await enters(nurse, 'Nurse')
    const history = nurse.inbox.filter((element) => element.getChild('body'))
    t.same(
      history.map((element) => element.getChildText('body')),
      order,
    )
    t.equal(history[0]?.getChild('delay', 'urn:xmpp:delay')?.attrs.from, ROOM)
    const last = nurse.inbox.at(-1)
    t.ok(last?.getChild('subject'), 'the subject comes last (§7.2.15)')
  })

  test(`who goes is seen going, and the last one takes a temporary room along (§7.14, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    juliet.sends(
      `<presence to='${ROOM}/Juliet' type='unavailable'><status>morning</status></presence>`,
    )
    await w.settle()
    const gone = await romeo.finds(`<presence from='${ROOM}/Juliet' type='unavailable'/>`)
    t.equal(gone.getChildText('status'), 'morning')
    t.match(item(gone), { affiliation: 'none', role: 'none' })
    const self = await juliet.finds(`<presence from='${ROOM}/Juliet' type='unavailable'/>`)
    t.same(codes(self), ['110'])

    await romeo.leaves()
    await w.settle()
    await enters(juliet, 'Juliet')
    const created = await juliet.finds(`<presence from='${ROOM}/Juliet'/>`)
    t.ok(codes(created).includes('201'), 'it is another room')
  })
}
