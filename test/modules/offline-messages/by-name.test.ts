// What is for one device alone is not lost because another one has what came later (RFC 6121 §8.5.3,
// XEP-0198 §4): the account's cursor waits for it, and it is given back when the device is gone.

import { type Test, test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import { bodies, chat, enable, managed, SM } from '../stream-management/sm-world.js'

const JULIET = `juliet@${DOMAIN}`
const LONG_AWAY = 11 * 60_000

interface Scene extends World {
  orchard: Client
}

async function scene(t: Test, archived: boolean): Promise<Scene> {
  const modules = ['stream-management', 'offline-messages', ...(archived ? ['archive'] : [])]
  const w = await managed(t, { modules, database: 'sqlite', loggedIn: false })
  const orchard = await w.device('romeo', 'orchard')
  await enable(orchard)
  return Object.assign(w, { orchard })
}

async function comes(w: World, resource: string, priority = 0): Promise<Client> {
  const client = await w.device('juliet', resource)
  await enable(client)
  await client.comesOnline(`<priority>${priority}</priority>`)
  return client
}

/** All that it was sent */
function acknowledges(client: Client): void {
  const stanzas = client.inbox.filter((element) => !/^[ra]$|^enabled$/.test(element.getName()))
  client.sends(`<a ${SM} h='${stanzas.length}'/>`)
}

/** The phone is away, not gone; one message is for it, one for all of Juliet's devices. */
async function away(w: Scene, type = 'chat'): Promise<void> {
  const phone = await comes(w, 'phone')
  phone.transport.cut(new Error('the connection broke'))
  await w.settle()
  w.orchard.sends(chat(`${JULIET}/phone`, 'for the phone').replace('chat', type))
  w.orchard.sends(chat(JULIET, 'for all'))
  await w.settle()
}

async function timePasses(w: World): Promise<void> {
  // More at once is a jump of the clock, and none of it an absence.
  const steps = Array.from({ length: LONG_AWAY / 60_000 }, () => 60_000)
  for (const time of [...steps, 1000, 1000]) {
    w.clock.advance(time)
    await w.settle()
  }
}

for (const archived of [false, true]) {
  const where = archived ? 'with an archive' : 'without an archive'

  for (const type of ['chat', 'normal'])
    test(`what a device alone was sent reaches the others when it is gone (RFC 6121 §8.5.3.2.1, ${type}, ${where})`, async (t) => {
      const w = await scene(t, archived)
      const laptop = await comes(w, 'laptop')
      await away(w, type)
      t.same(bodies(laptop), ['for all'])
      acknowledges(laptop)
      await timePasses(w)
      t.same(bodies(laptop), ['for all', 'for the phone'])
      t.same(
        w.orchard.inbox.filter(({ attrs }) => attrs.type === 'error'),
        [],
      )
    })

  test(`where no device is there the next one gets it (XEP-0160 §3, ${where})`, async (t) => {
    const w = await scene(t, archived)
    const laptop = await comes(w, 'laptop')
    await away(w)
    acknowledges(laptop)
    await laptop.leaves()
    await timePasses(w)
    const next = await comes(w, 'tablet')
    t.ok(bodies(next).includes('for the phone'))
  })

  test(`the device itself gets it when it is bound anew (RFC 6120 §7.7.2.2, ${where})`, async (t) => {
    const w = await scene(t, archived)
    const laptop = await comes(w, 'laptop')
    await away(w)
    acknowledges(laptop)
    await w.settle()
    const phone = await comes(w, 'phone')
    t.ok(bodies(phone).includes('for the phone'))
    acknowledges(phone)
    acknowledges(laptop)
    await laptop.leaves()
    await phone.leaves()
    t.same(bodies(await comes(w, 'tablet')), [], 'and then it is done with')
  })

  test(`a killed app that binds another resource gets it when the old session ends (${where})`, async (t) => {
    const w = await scene(t, archived)
    await away(w)
    const anew = await comes(w, 'phone2')
    acknowledges(anew)
    t.same(bodies(anew), ['for all'])
    await timePasses(w)
    t.same(bodies(anew), ['for all', 'for the phone'])
  })

  test(`once the device has it nobody else is given it (${where})`, async (t) => {
    const w = await scene(t, archived)
    const laptop = await comes(w, 'laptop')
    const phone = await comes(w, 'phone')
    w.orchard.sends(chat(`${JULIET}/phone`, 'for the phone'))
    w.orchard.sends(chat(JULIET, 'for all'))
    await w.settle()
    acknowledges(laptop)
    acknowledges(phone)
    await phone.leaves()
    await laptop.leaves()
    t.same(bodies(await comes(w, 'tablet')), [])
  })

  for (const keeps of [false, true]) {
    const how = keeps ? 'acknowledged' : 'was written'
    test(`what ${how} by full address alone does not come to the next one (RFC 6121 §8.5.3.1, ${where})`, async (t) => {
      const w = await scene(t, archived)
      const phone = await w.device('juliet', 'phone')
      if (keeps) await enable(phone)
      for (const word of ['1', '2', '3']) w.orchard.sends(chat(`${JULIET}/phone`, word))
      await w.settle()
      t.same(bodies(phone), ['1', '2', '3'])
      if (keeps) acknowledges(phone)
      await phone.leaves()
      t.same(bodies(await comes(w, 'tablet')), [])
    })
  }
}

test('what no archive keeps goes from the log when it was taken by name', async (t) => {
  const w = await scene(t, false)
  const phone = await w.device('juliet', 'phone')
  await enable(phone)
  for (const word of ['1', '2', '3']) w.orchard.sends(chat(`${JULIET}/phone`, word))
  await w.settle()
  acknowledges(phone)
  w.clock.advance(10 * 60_000)
  await w.settle()
  const { number } = w.server.hosts.get(DOMAIN)!.sessions.find(Jid.parse(phone.jid))!
  const page = await w.server.messages.page({ owner: number, flags: 0, limit: 10 })
  t.same(page.messages, [])
})
