// Addresses of rooms that strangers make up cost nothing that lasts.

import { test } from 'tap'
import { condition, enters, heard, opened, roomsWorld, says, SERVICE } from './rooms-world.js'

test('whoever asks about rooms that there are not has nobody own them (XEP-0045 §17.2)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo } = w
  await opened(w, { Romeo: romeo })
  const owned = () => w.server.database.knex('owned').pluck('key')
  const before = await owned()
  for (let i = 0; i < 20; i++) {
    const room = `nowhere${i}@${SERVICE}`
    const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    t.equal(condition(await romeo.asks('get', room, info)), 'item-not-found')
    says(romeo, 'hello', { room })
    t.equal(condition(await romeo.finds("<message type='error'/>")), 'item-not-found')
  }
  t.same(await owned(), before)
  says(romeo, 'here')
  t.same(await heard(romeo), ['here'])
})

test('who may not make rooms is refused before anybody owns one (XEP-0045 §10.1.1)', async (t) => {
  const w = await roomsWorld(t, { options: { rooms: { create: 'admins' } } })
  const { romeo } = w
  await enters(romeo, 'Romeo')
  t.equal(condition(await romeo.finds("<presence type='error'/>")), 'not-allowed')
  const tables = await w.server.database.knex.schema.hasTable('owned')
  t.same(tables ? await w.server.database.knex('owned').pluck('key') : [], [])
})
