// Stream management while the database takes nothing: what is said of it is true all the same
// (XEP-0198 §4, §5).

import { test } from 'tap'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { World } from '../../world/world.js'
import {
  bodies,
  chat,
  connects,
  enable,
  fillsDisk,
  handled,
  managed,
  passes,
  refusals,
  resumes,
  SM,
  waits,
} from './sm-world.js'

const JULIET = 'juliet@capulet.example'
const ROMEO = 'romeo@capulet.example'
const NO_ROOM = "<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"

function sessionsOf(w: World, account: string) {
  return w.server.hosts.get('capulet.example')!.sessions.of(Jid.parse(account))
}

test('a resumed client is counted on from what it was told (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  w.romeo.sends(chat(JULIET, 'one'))
  t.equal(await handled(w.romeo), 1)
  const freed = fillsDisk(w.server)
  w.romeo.sends(chat(JULIET, 'two') + chat(JULIET, 'three'))
  await w.settle()
  await w.romeo.breaks()
  const again = await resumes(w, 'romeo', { id, h: 2 })
  await again.receives(`<resumed ${SM} h='1'/>`)
  freed()
  again.sends(chat(JULIET, 'two') + chat(JULIET, 'three'))
  t.equal(await handled(again), 3)
  await waits(w, 3)
  t.equal(await handled(again), 3, 'nor does what waited to be counted before count now')
})

test('an answer that takes long says what is on disk, and the rest follows (XEP-0198 §4)', async (t) => {
  const w = await managed(t)
  await enable(w.romeo)
  w.romeo.sends(chat(JULIET, 'one'))
  t.equal(await handled(w.romeo), 1)
  const freed = fillsDisk(w.server)
  w.romeo.sends(`${chat(JULIET, 'two')}<r ${SM}/>`)
  await w.settle()
  t.notOk(w.romeo.inbox.some((element) => element.is('a')))
  await waits(w, 1)
  await w.romeo.finds(`<a ${SM} h='1'/>`)
  await waits(w, 3)
  t.notOk(
    w.romeo.inbox.some((element) => element.is('a')),
    'once',
  )
  freed()
  await waits(w, 3)
  await w.romeo.finds(`<a ${SM} h='2'/>`)
})

test('what was refused is counted before the next stream is told a count, and once (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const freed = fillsDisk(w.server)
  w.romeo.sends(chat(JULIET, 'one'))
  await w.settle()
  await w.romeo.breaks()
  freed()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM} h='1'/>`)
  t.same(refusals(again), ['one'])
  await waits(w, 3)
  t.equal(await handled(again), 1)
  again.sends(chat(JULIET, 'two'))
  t.equal(await handled(again), 2)
})

test('nobody hears of what he is to send again that it failed (XEP-0198 §5)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo)
  const freed = fillsDisk(w.server)
  w.romeo.sends(chat(JULIET, 'one'))
  await w.settle()
  await w.romeo.breaks()
  const refused = await resumes(w, 'romeo', { id, h: 0 })
  await refused.receives(`<failed ${SM} h='0'>${NO_ROOM}</failed>`)
  t.same(refusals(refused), [])
  freed()
  refused.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await refused.receives(`<resumed ${SM} h='1'/>`)
  t.same(refusals(refused), ['one'], 'nor is he to send again what he hears of')
})

test('an absence that is on disk ends there before the client hears that it is resumed (XEP-0198 §5)', async (t) => {
  const w = await managed(t, { database: 'sqlite' })
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  w.juliet.sends(chat(ROMEO, 'one'))
  await w.settle()
  await w.romeo.breaks()
  const freed = fillsDisk(w.server)
  const refused = await resumes(w, 'romeo', { id, h: 0 })
  await refused.receives(`<failed ${SM} h='0'>${NO_ROOM}</failed>`)
  await refused.receivesNothing()
  freed()
  const again = await resumes(w, 'romeo', { id, h: 0 })
  await again.receives(`<resumed ${SM}/>`)
  t.same(bodies(again), ['one'])
  w.juliet.sends(chat(ROMEO, 'two'))
  await w.settle()
  fillsDisk(w.server)
  await again.breaks()
  await w.restart({ kill: true })
  const last = await resumes(w, 'romeo', { id, h: 2 })
  await last.receives(`<resumed ${SM}/>`)
  t.notOk(last.closed, 'what is on disk does not say that it has one stanza at most')
})

test('what is refused a stream waits as long as it may, and no longer (XEP-0198 §7)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo, "resume='true' max='30'")
  await w.romeo.breaks()
  const freed = fillsDisk(w.server)
  await waits(w, 20)
  await (await resumes(w, 'romeo', { id, h: 0 })).receives(`<failed ${SM}/>`)
  freed()
  await waits(w, 9)
  t.equal(sessionsOf(w, ROMEO).length, 1)
  await waits(w, 2)
  t.equal(sessionsOf(w, ROMEO).length, 0)
})

test('a stream that is taken away while nothing can be stored leaves no session for ever (XEP-0198 §6)', async (t) => {
  const w = await managed(t)
  const id = await enable(w.romeo, "resume='true' max='30'")
  const { journal } = w.server
  const { settled } = journal
  const fills = () => {
    journal.settled = () => Promise.reject(new StanzaError('resource-constraint'))
  }
  fills()
  const refused = await resumes(w, 'romeo', { id, h: 0 })
  journal.settled = settled
  await refused.receives(`<failed ${SM} h='0'>${NO_ROOM}</failed>`)
  t.ok(w.romeo.closed)
  await (await resumes(w, 'romeo', { id, h: 0 })).receives(`<resumed ${SM}/>`)
  await waits(w, 31)
  t.equal(sessionsOf(w, ROMEO).length, 1, 'somebody has it')
  fills()
  await resumes(w, 'romeo', { id, h: 0 })
  journal.settled = settled
  await waits(w, 31)
  t.equal(sessionsOf(w, ROMEO).length, 0)
})

test('what is on disk as handled is what the client hears (XEP-0198 §4, §5)', async (t) => {
  const w = await managed(t, { database: 'sqlite' })
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const id = await enable(w.romeo)
  w.juliet.sends(chat(ROMEO, 'hello'))
  await w.settle()
  const freed = fillsDisk(w.server)
  w.romeo.sends(chat(JULIET, 'one'))
  await w.settle()
  freed()
  w.romeo.sends(`<a ${SM} h='1'/>`)
  await w.romeo.breaks()
  const again = await resumes(w, 'romeo', { id, h: 2 })
  const told = (await again.receives(`<resumed ${SM}/>`)).attrs.h
  await w.restart({ kill: true })
  const last = await resumes(w, 'romeo', { id, h: 2 })
  t.equal((await last.receives(`<resumed ${SM}/>`)).attrs.h, told)
})

test('a database that is away is no reason to end a stream (XEP-0198 §6)', async (t) => {
  const w = await managed(t, { database: 'sqlite', loggedIn: false })
  const romeo = await w.device('romeo', 'phone')
  const id = await enable(romeo)
  await w.restart({ kill: true })
  const client = await connects(w, 'romeo')
  const { database } = w.server
  const { reader } = database
  const away = Object.assign(new Error('nobody answers'), { code: 'ECONNREFUSED' })
  const nobody = () => {
    throw away
  }
  Object.assign(database, { reader: nobody })
  client.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await passes(w, () => client.inbox.length === 0)
  await client.receives(`<failed ${SM}>${NO_ROOM}</failed>`)
  Object.assign(database, { reader })
  client.sends(`<resume ${SM} previd='${id}' h='0'/>`)
  await client.receives(`<resumed ${SM}/>`)
})
