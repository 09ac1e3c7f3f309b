// A session that outlived its server (XEP-0198 §5): nobody could tell it meanwhile who went, so that it is
// told of everybody first, and then who is there.

import { type Test, test } from 'tap'
import type { Client } from '../../world/client.js'
import { DOMAIN, type World } from '../../world/world.js'
import { enable, managed, resumes } from '../stream-management/sm-world.js'

const JULIET = `juliet@${DOMAIN}`
const ROMEO = `romeo@${DOMAIN}`

/** Both see each other; Romeo may resume, and is on a second device too. */
async function couple(t: Test): Promise<{ w: World; romeo: Client; id: string }> {
  const modules = ['stream-management', 'presence', 'archive']
  const w = await managed(t, { modules, database: 'sqlite', loggedIn: false })
  const romeo = await w.device('romeo', 'orchard')
  const juliet = await w.device('juliet', 'balcony')
  for (const [one, other] of [
    [romeo, JULIET],
    [juliet, ROMEO],
  ] as const) {
    one.sends(`<presence type='subscribe' to='${other}'/>`)
    await w.settle()
  }
  romeo.sends(`<presence type='subscribed' to='${JULIET}'/>`)
  juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
  await w.settle()
  const id = await enable(romeo)
  for (const client of [romeo, juliet]) await client.comesOnline()
  await (await w.device('romeo', 'tablet')).comesOnline()
  await w.settle()
  return { w, romeo, id }
}

/** Who is there as the client knows it: unavailable from a bare address is for all its resources. */
function there(...clients: Client[]): string[] {
  const known = new Set<string>()
  for (const { inbox } of clients)
    for (const { attrs } of inbox.filter((element) => element.is('presence'))) {
      const from = String(attrs.from)
      if (attrs.type === undefined) known.add(from)
      if (attrs.type !== 'unavailable') continue
      for (const one of known) if (one === from || one.startsWith(`${from}/`)) known.delete(one)
    }
  return [...known].sort()
}

for (const comes of [true, false])
  test(`no ghosts are left of contacts who ${comes ? 'came back otherwise' : 'did not come back'} (RFC 6121 §4.3.2)`, async (t) => {
    const { w, romeo, id } = await couple(t)
    t.same(there(romeo), [`${JULIET}/balcony`, `${ROMEO}/orchard`, `${ROMEO}/tablet`])
    const h = romeo.inbox.filter(({ name }) => /^(message|presence|iq)$/.test(name)).length
    await w.restart({ kill: true })
    if (comes) await (await w.device('juliet', 'garden')).comesOnline()
    const again = await resumes(w, 'romeo', { id, h })
    await w.settle()
    t.same(there(romeo, again), [...(comes ? [`${JULIET}/garden`] : []), `${ROMEO}/orchard`])
  })
