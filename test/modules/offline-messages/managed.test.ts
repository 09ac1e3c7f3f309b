// Offline messages and stream management: what a client has is what it acknowledged (XEP-0160, XEP-0198).

import { type Test, test } from 'tap'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import { bodies, chat, enable, managed, resumes, SM, waits } from '../stream-management/sm-world.js'

const JULIET = `juliet@${DOMAIN}`
const WORDS = Array.from({ length: 120 }, (_, i) => `${i}`)

/** Romeo has written, Juliet was not there. */
async function scene(t: Test, archived: boolean): Promise<World> {
  const modules = ['stream-management', 'offline-messages', ...(archived ? ['archive'] : [])]
  const w = await managed(t, { modules, database: 'sqlite', loggedIn: false })
  const romeo = await w.device('romeo', 'orchard')
  for (const word of WORDS) romeo.sends(chat(JULIET, word))
  await w.settle()
  w.clock.advance(60_000)
  return w
}

async function comes(w: World, resource: string): Promise<Client> {
  const client = await w.device('juliet', resource)
  await client.comesOnline()
  return client
}

for (const archived of [false, true]) {
  const where = archived ? 'with an archive' : 'without an archive'

  test(`what was not acknowledged is given to the next client (XEP-0198 §4, ${where})`, async (t) => {
    const w = await scene(t, archived)
    const phone = await w.device('juliet', 'phone')
    await enable(phone, '')
    await phone.comesOnline()
    t.same(bodies(phone), WORDS)
    await phone.leaves()
    const next = await comes(w, 'other')
    t.same(bodies(next), WORDS)
  })

  test(`what was acknowledged is not (${where})`, async (t) => {
    const w = await scene(t, archived)
    const phone = await w.device('juliet', 'phone')
    await enable(phone, '')
    await phone.comesOnline()
    const stanzas = phone.inbox.filter((element) => !element.is('r') && !element.is('a')).length
    phone.sends(`<a ${SM} h='${stanzas}'/>`)
    await phone.leaves()
    t.same(bodies(await comes(w, 'other')), [])
  })

  test(`what a killed server had not been told of comes with the resumption, and none is lost (XEP-0198 §5, ${where})`, async (t) => {
    const w = await scene(t, archived)
    const phone = await w.device('juliet', 'phone')
    const id = await enable(phone)
    await phone.comesOnline()
    const had = 20
    const before = phone.inbox.findIndex((element) => element.getChildText('body') === `${had}`)
    const stanzas = phone.inbox
      .slice(0, before)
      .filter((element) => !element.is('r') && !element.is('a')).length
    phone.sends(`<a ${SM} h='${stanzas}'/>`)
    await waits(w, 2)
    await w.restart({ kill: true })
    const again = await resumes(w, 'juliet', { id, h: stanzas })
    t.same(bodies(again), WORDS.slice(had))
  })

  for (const turns of [5, 15, 30, 1000]) {
    const when = `${turns} turns after a client came`
    test(`killed ${when}: it is told what waited, or the next one is (XEP-0198 §5, ${where})`, async (t) => {
      const w = await scene(t, archived)
      const phone = await w.device('juliet', 'phone')
      const id = await enable(phone)
      phone.sends('<presence/>')
      if (turns === 1000) await w.settle()
      else
        for (let turn = 0; turn < turns; turn++)
          await new Promise((resolve) => setImmediate(resolve))
      await w.restart({ kill: true })
      const again = await resumes(w, 'juliet', { id, h: 0 })
      const romeo = await w.device('romeo', 'garden')
      romeo.sends(chat(JULIET, 'live'))
      await w.settle()
      const stanzas = again.inbox.slice(1).filter((element) => !/^[ra]$/.test(element.getName()))
      again.sends(`<a ${SM} h='${stanzas.length}'/>`)
      await again.leaves()
      const next = await comes(w, 'other')
      const got = new Set([...again.transcript.flatMap(bodyOf), ...bodies(next)])
      got.delete('live')
      t.equal(got.size, WORDS.length)
    })
  }
}

function bodyOf(text: string): string[] {
  const body = /<body>(.*)<\/body>/.exec(text)?.[1]
  return body === undefined ? [] : [body]
}
