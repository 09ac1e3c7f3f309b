// What a device of another node alone was sent by its full address (RFC 6121 §8.5.3, XEP-0198 §4) holds the
// account's cursor on every node that has sessions of the account. Over a real Redis and a real PostgreSQL.

import { test } from 'tap'
import type { Client } from '../world/client.js'
import { bodies, chat, enable, resumes, SM, waits } from '../modules/stream-management/sm-world.js'
import { noRedis, TestRedis } from '../world/redis.js'
import type { World } from '../world/world.js'
import { counted, present, ROMEO, twoNodes } from './moving-world.js'

if (noRedis) {
  test('what a device elsewhere is owed', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const laptopOf = async (w: World): Promise<Client> => {
    const laptop = await present(w, 'romeo', 0)
    await enable(laptop)
    await laptop.clears()
    return laptop
  }

  /** The cursor as the disk has it, and the messages of the log, oldest first */
  const cursor = async ({ server }: World): Promise<{ taken: number; ids: number[] }> => {
    server.journal.hurry()
    await server.journal.idle()
    const { knex } = server.database
    const row: { id: number } | undefined = await knex('taken').orderBy('id', 'desc').first()
    const ids: number[] = await knex('messages').orderBy('id').pluck('id')
    return { taken: Number(row?.id ?? 0), ids: ids.map(Number) }
  }

  for (const node of [0, 1]) {
    test(`the cursor waits for a device elsewhere, and goes on when it has it, from node ${node}`, async (t) => {
      const { w, phone } = await twoNodes(t, redis)
      const laptop = await laptopOf(w)
      const juliet = await present(w, 'juliet', node)
      await phone.clears()
      // Where it were not at hand that the phone is elsewhere, the laptop would see the message, too.
      await w.server.directory.lookup(ROMEO)
      juliet.sends(chat(`${ROMEO}/phone`, 'for the phone'))
      await w.settle()
      juliet.sends(chat(ROMEO, 'for all'))
      await w.settle()
      laptop.sends(`<a ${SM} h='${counted(laptop)}'/>`)
      await waits(w, 12)
      const before = await cursor(w)
      t.ok(before.taken < before.ids[0]!, 'it is not passed')
      // The laptop came online meanwhile, too.
      phone.sends(`<a ${SM} h='${1 + counted(phone)}'/>`)
      t.same(bodies(phone).filter(Boolean), ['for the phone', 'for all'])
      await waits(w, 12)
      t.equal((await cursor(w)).taken, before.ids[1])
    })
  }

  test('it waits also when the device moved, and its session ends in order', async (t) => {
    const { w, id } = await twoNodes(t, redis)
    const laptop = await present(w, 'romeo', 1)
    await enable(laptop)
    await laptop.clears()
    const juliet = await present(w, 'juliet', 1)
    juliet.sends(chat(`${ROMEO}/phone`, 'for the phone'))
    await w.settle()
    const again = await resumes(w, 'romeo', { id, h: 0, node: 0 })
    await again.finds(`<resumed ${SM}/>`)
    juliet.sends(chat(ROMEO, 'for all'))
    await w.settle()
    laptop.sends(`<a ${SM} h='${counted(laptop)}'/>`)
    await waits(w, 12)
    const before = await cursor(w)
    t.ok(before.taken < before.ids[0]!, 'it is not passed')
    await again.leaves()
    await w.settle()
    t.same(bodies(laptop).filter(Boolean), ['for all', 'for the phone'], 'given back')
  })

  test('stopped', () => redis.stop())
}
