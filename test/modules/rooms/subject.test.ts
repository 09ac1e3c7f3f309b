// The subject of a room and the message that sets it are one (XEP-0045 §8.1): on disk together, in the order of
// what was said, whatever happens in between.

import { test } from 'tap'
import type { Server } from '../../../lib/core/server.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { asks } from '../archive/archive-world.js'
import { condition, enters, opened, ROOM, roomsWorld } from './rooms-world.js'

function sets(client: Client, text: string, more = ''): void {
  client.sends(`<message to='${ROOM}' type='groupchat'><subject>${text}</subject>${more}</message>`)
}

function subjects(client: Client): string[] {
  return client.inbox.flatMap((element) =>
    element.is('message') ? (element.getChildText('subject') ?? []) : [],
  )
}

/** What is committed after this gets nowhere. */
function lastCommit({ journal }: Server): void {
  const commit = journal.commit.bind(journal)
  const never = (): Promise<void> => new Promise(() => undefined)
  let count = 0
  Object.assign(journal, {
    commit: (entry: Parameters<typeof commit>[0]) => (count++ === 0 ? commit(entry) : never()),
  })
}

test('a subject is on disk as soon as anybody hears of it (XEP-0045 §8.1)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
  lastCommit(w.server)
  sets(romeo, 'Light')
  await juliet.finds(`<message from='${ROOM}/Romeo'><subject>Light</subject></message>`)
  await w.restart({ kill: true })
  const again = await w.device('juliet', 'phone')
  await enters(again, 'Juliet')
  t.same(subjects(again), ['Light'])
})

for (const archived of ['1', '0'])
  test(`what cannot be stored is nobody’s subject (XEP-0045 §8.1, archived: ${archived})`, async (t) => {
    const w = await roomsWorld(t)
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { enablearchiving: archived } })
    const { journal } = w.server
    const commit = journal.commit.bind(journal)
    const full = (): Promise<void> => Promise.reject(new StanzaError('resource-constraint'))
    Object.assign(journal, { commit: full })
    sets(romeo, 'Light')
    const refused = await romeo.finds("<message type='error'/>")
    t.equal(condition(refused), 'resource-constraint')
    await juliet.receivesNothing()
    Object.assign(journal, { commit })
    await enters(w.nurse, 'Nurse')
    t.same(subjects(w.nurse), [''])
  })

for (const nodes of [1, 2] as const)
  test(`the subject is the last one that was set, whoever is quick (XEP-0045 §8.1, ${nodes} nodes)`, async (t) => {
    const database = nodes === 2 ? { database: await freshPostgres() } : {}
    const w = await roomsWorld(t, { nodes, spread: nodes === 2, ...database })
    const { romeo, juliet, nurse } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { changesubject: '1' } })
    for (let at = 0; at < 5; at++) {
      sets(romeo, `Light ${at}`)
      sets(juliet, `Night ${at}`)
    }
    await enters(nurse, 'Nurse')
    await w.settle()
    t.equal(subjects(romeo).length, 10)
    t.same(subjects(juliet), subjects(romeo), 'everybody hears the same order')
    await enters(mercutio, 'Mercutio')
    t.same(subjects(mercutio), subjects(romeo).slice(-1))
    const { subject } = await w.server.database.knex('rooms').first('subject')
    t.match(JSON.parse(subject).text, subjects(romeo).at(-1)!, 'and so it is on disk')
  })

test('what is sent once more is not the subject again (XEP-0045 §8.1, XEP-0359 §3)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
  const origin = "<origin-id xmlns='urn:xmpp:sid:0' id='first'/>"
  sets(romeo, 'Light', origin)
  await w.settle()
  sets(romeo, 'Night')
  await w.settle()
  sets(romeo, 'Light', origin)
  await w.settle()
  t.same(subjects(juliet), ['Light', 'Night'])
  t.equal((await asks(romeo, { to: ROOM })).results.length, 2)
  await w.restart({ kill: true })
  const again = await w.device('juliet', 'phone')
  await enters(again, 'Juliet')
  t.same(subjects(again), ['Night'])
})
