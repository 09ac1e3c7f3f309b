// Resumption while the database does not answer questions (XEP-0198 §5): who waits some seconds is resumed, or
// hears the exact count where that is known. On SQLite and on PostgreSQL alike.

import { type Test, test } from 'tap'
import { Claims } from '../../../modules/stream-management/claims.js'
import { SessionStore } from '../../../modules/stream-management/store.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { World } from '../../world/world.js'
import { chat, connects, enable, handled, managed, passes, resumes, SM } from './sm-world.js'

const LATER = "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
const databases: Record<string, () => Promise<string>> = {
  SQLite: async () => 'sqlite',
  PostgreSQL: freshPostgres,
}
const hung = () => Promise.reject(new Error('Query read timeout'))
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** So many questions for a session hang until they are given up. */
function givesUp(t: Test, times: number): { asked: number } {
  const { find } = SessionStore.prototype
  const questions = { asked: 0 }
  SessionStore.prototype.find = function (number) {
    return ++questions.asked <= times ? hung() : find.call(this, number)
  }
  t.teardown(() => {
    SessionStore.prototype.find = find
  })
  return questions
}

/** Romeo's server was killed when it had acknowledged one message. */
async function killed(t: Test, database: string): Promise<{ w: World; id: string }> {
  const w = await managed(t, { database })
  const id = await enable(w.romeo)
  w.romeo.sends(chat('juliet@capulet.example', 'kept'))
  t.equal(await handled(w.romeo), 1)
  await w.restart({ kill: true })
  return { w, id }
}

async function asks(w: World, id: string, questions: { asked: number }): Promise<Client> {
  const again = await connects(w, 'romeo')
  again.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  while (questions.asked === 0) await turn()
  return again
}

for (const [name, database] of Object.entries(databases)) {
  test(`${name}: a question that was given up is asked again, and the session goes on (XEP-0198 §5)`, async (t) => {
    const { w, id } = await killed(t, await database())
    const questions = givesUp(t, 2)
    const again = await asks(w, id, questions)
    t.ok((await passes(w, () => questions.asked < 3)) < 1000)
    t.same(again.inbox, [])
    await again.receives(`<resumed ${SM} h='1' previd='${id}'/>`)
  })

  test(`${name}: who resumes where nothing is ever answered waits some seconds, no longer (XEP-0198 §5)`, async (t) => {
    const { w, id } = await killed(t, await database())
    const again = await asks(w, id, givesUp(t, Number.POSITIVE_INFINITY))
    const waited = await passes(w, () => again.inbox.length === 0)
    t.ok(waited > 4000 && waited < 7000, `${waited} ms`)
    await again.receives(`<failed ${SM}>${LATER}</failed>`)
  })

  test(`${name}: a question that hangs again is waited for no longer (XEP-0198 §5)`, async (t) => {
    const { w, id } = await killed(t, await database())
    const questions = givesUp(t, 1)
    const again = await asks(w, id, questions)
    SessionStore.prototype.find = () => new Promise(() => {})
    const waited = await passes(w, () => again.inbox.length === 0)
    t.ok(waited > 4000 && waited < 7000, `${waited} ms`)
    await again.receives(`<failed ${SM}>${LATER}</failed>`)
  })

  test(`${name}: of a session that is found and cannot be claimed the count is told (XEP-0198 §5)`, async (t) => {
    const { w, id } = await killed(t, await database())
    const { claim } = Claims.prototype
    t.teardown(() => {
      Claims.prototype.claim = claim
    })
    Claims.prototype.claim = hung
    const refused = await resumes(w, 'romeo', { id, h: 0 })
    await refused.receives(`<failed ${SM} h='1'>${LATER}</failed>`)
    Claims.prototype.claim = claim
    refused.sends(`<resume ${SM} previd='${id}' h='0'/>`)
    await refused.receives(`<resumed ${SM} h='1'/>`)
  })
}
