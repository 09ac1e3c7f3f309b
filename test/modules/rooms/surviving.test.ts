// A room survives the node that owns it, with everybody in it: who is on another node stays where he is, who was
// on that node may resume and has missed nothing, who does not is shown as gone (XEP-0045 §12.1).

import { test } from 'tap'
import { enable, resumes, waits } from '../stream-management/sm-world.js'
import {
  codes,
  configures,
  enters,
  heard,
  item,
  NS_ADMIN,
  opened,
  roomsWorld,
  says,
} from './rooms-world.js'
import { allHeard, isIn, roomOf, stanzas } from './surviving.js'

test('the owner of a room is killed: whoever is elsewhere is still in it, and hears the next message', async (t) => {
  const w = await roomsWorld(t, { nodes: 2, spread: true })
  const [romeo, juliet, tybalt] = [w.romeo, w.juliet, w.person('tybalt')]
  const room = roomOf(w, 0)
  await opened(w, { Romeo: romeo, Juliet: juliet, Tybalt: tybalt }, { room })
  says(romeo, 'one', { room })
  says(juliet, 'two', { room })
  await w.settle()
  await w.restart({ kill: true })
  await waits(w, 3)
  t.ok(await isIn(juliet, room, 'Juliet'), 'self-ping (XEP-0410 §3.1)')
  const gone = await juliet.finds(`<presence from='${room}/Romeo' type='unavailable'/>`)
  t.same(codes(gone), ['333'], 'nobody can take up his session any more')
  says(juliet, 'three', { room })
  await w.settle()
  t.same(allHeard(juliet), allHeard(tybalt))
  t.same(allHeard(juliet).slice(2), ['three'])
  t.notOk(
    juliet.inbox.some(({ attrs }) => attrs.from === `${room}/Tybalt` && attrs.type),
    'he never went',
  )
  const again = await w.device('romeo', 'phone', { node: 0 })
  t.notOk(await isIn(again, room, 'Romeo'), 'another session with the same address is not in')
})

test('a single server is killed: sessions that resume are in their rooms, others are not', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet, nurse } = w
  const room = roomOf(w, 0)
  const ids = [await enable(romeo), await enable(juliet)]
  await opened(
    w,
    { Romeo: romeo, Juliet: juliet, Nurse: nurse },
    { room, fields: { persistentroom: '1' } },
  )
  says(romeo, 'one', { room })
  await w.settle()
  await waits(w, 4)
  const h = [stanzas(romeo), stanzas(juliet)]
  says(juliet, 'two', { room })
  await w.settle()
  await w.restart({ kill: true })
  const second = await resumes(w, 'juliet', { id: ids[1]!, h: h[1]! })
  await waits(w, 1)
  const first = await resumes(w, 'romeo', { id: ids[0]!, h: h[0]! })
  await waits(w, 1)
  t.ok(await isIn(first, room, 'Romeo'))
  t.ok(await isIn(second, room, 'Juliet'))
  says(first, 'three', { room })
  await w.settle()
  t.same(allHeard(romeo, first), ['one', 'two', 'three'])
  t.same(allHeard(juliet, second), ['one', 'two', 'three'])
  const late = [...first.transcript, ...second.transcript].filter((text) => text.includes('<body>'))
  t.notMatch(late.join(''), 'muc#user', 'from the log comes nobody’s address (XEP-0045 §4.2)')
  const third = await w.device('nurse', 'phone')
  t.notOk(await isIn(third, room, 'Nurse'), 'she has another session (XEP-0410 §3.2)')
  await second.finds(`<presence from='${room}/Nurse' type='unavailable'/>`)
  const gone = await first.finds(`<presence from='${room}/Nurse' type='unavailable'/>`)
  t.same(codes(gone), [], 'she went before he was back')
  t.equal(item(gone).affiliation, 'owner', 'an operator when she goes as before (XEP-0045 §7.14)')
})

test('a session that nobody resumes is gone from the room when its time is over', async (t) => {
  const w = await roomsWorld(t, {
    nodes: 2,
    spread: true,
    options: { 'stream-management': { resume_time: '60 s' } },
  })
  const { romeo, juliet } = w
  const room = roomOf(w, 1)
  await enable(romeo)
  await opened(w, { Juliet: juliet, Romeo: romeo }, { room })
  await w.restart({ kill: true })
  await waits(w, 30)
  t.notOk(juliet.inbox.some(({ attrs }) => attrs.type === 'unavailable'))
  await waits(w, 60)
  const gone = await juliet.finds(`<presence from='${room}/Romeo' type='unavailable'/>`)
  t.same(codes(gone), ['333'])
})

test('a session goes on on another node that lives: the room goes on with it there', async (t) => {
  const w = await roomsWorld(t, { nodes: 2, spread: true })
  const { romeo, juliet } = w
  const room = roomOf(w, 1)
  const id = await enable(romeo)
  await opened(w, { Juliet: juliet, Romeo: romeo }, { room })
  says(juliet, 'one', { room })
  says(juliet, 'two', { room })
  await w.settle()
  const back = await resumes(w, 'romeo', { id, h: 0, node: 1 })
  await waits(w, 1)
  says(juliet, 'three', { room })
  await w.settle()
  t.ok(await isIn(back, room, 'Romeo'))
  const bodies = back.inbox.flatMap((element) => element.getChildText('body') ?? [])
  t.same(bodies, ['one', 'two', 'three'], 'each of them once')
  t.notOk(juliet.inbox.some(({ attrs }) => attrs.from === `${room}/Romeo` && attrs.type))
})

test('a node that stops leaves its rooms to the others', async (t) => {
  const w = await roomsWorld(t, { nodes: 2, spread: true })
  const [romeo, juliet, tybalt] = [w.romeo, w.juliet, w.person('tybalt')]
  const room = roomOf(w, 0)
  await opened(w, { Romeo: romeo, Juliet: juliet, Tybalt: tybalt }, { room })
  await w.restart({ node: 0 })
  await waits(w, 3)
  t.ok(await isIn(juliet, room, 'Juliet'))
  await juliet.finds(`<presence from='${room}/Romeo' type='unavailable'/>`)
  says(tybalt, 'still here', { room })
  t.same(await heard(juliet), ['still here'])
  await configures(juliet, {}, room)
  await enters(w.nurse, 'Nurse', { room }).catch(() => undefined)
})

test('who becomes a moderator while he is away is shown addresses when he comes back (XEP-0045 §7.2.4)', async (t) => {
  const w = await roomsWorld(t, { nodes: 2, spread: true })
  const { romeo, juliet } = w
  const room = roomOf(w, 1)
  const id = await enable(romeo)
  const people = { Juliet: juliet, Tybalt: w.person('tybalt'), Romeo: romeo }
  await opened(w, people, { room })
  await waits(w, 10)
  romeo.sends(`<a xmlns='urn:xmpp:sm:3' h='${stanzas(romeo)}'/>`)
  says(juliet, 'peace', { room })
  await waits(w, 10)
  const h = stanzas(romeo)
  await w.restart({ kill: true })
  const grant = "<item nick='Romeo' role='moderator'/>"
  await juliet.asks('set', room, `<query xmlns='${NS_ADMIN}'>${grant}</query>`)
  await waits(w, 10)
  const back = await resumes(w, 'romeo', { id, h, node: 0 })
  await waits(w, 1)
  const shown = await back.finds(`<presence from='${room}/Tybalt'/>`)
  t.equal(item(shown).jid, w.person('tybalt').jid)
  t.equal(item(await back.finds(`<presence from='${room}/Romeo'/>`)).role, 'moderator')
})
