// Binding and the commit of a message are ordered against each other, on a real PostgreSQL.

import { test, type Test } from 'tap'
import { Database } from '../../lib/storage/database.js'
import { Journal } from '../../lib/storage/journal.js'
import { fence } from '../../lib/storage/lives.js'
import { INCOMING, KEPT, LoggedMessage } from '../../lib/storage/logged-message.js'
import { type MessageLog, openMessageLog } from '../../lib/storage/message-log.js'
import { Whereabouts } from '../../lib/storage/whereabouts.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { ManualClock } from '../world/clock.js'
import { freshPostgres } from '../world/postgres.js'

const JULIET = 7
const from = Jid.parse('romeo@montague.lit/orchard')
const to = Jid.parse('juliet@capulet.lit')
const juliet = { account: JULIET, address: to.text }

interface Node {
  readonly log: MessageLog
  readonly journal: Journal
  readonly whereabouts: Whereabouts
  readonly database: Database
  say(text: string): Promise<LoggedMessage>
}

async function node(t: Test, url: string, life: string, clock?: ManualClock): Promise<Node> {
  const database = await Database.open({ url, folder: '', durability: 'power' })
  const log = await openMessageLog(database, new ManualClock(), true)
  const journal = new Journal(database, { messages: log, life })
  const whereabouts = await Whereabouts.open(database, life, clock)
  t.teardown(async () => {
    await whereabouts.close()
    await journal.close()
    await database.close()
  })
  const say = async (text: string): Promise<LoggedMessage> => {
    const message = new LoggedMessage({ from, to, text, label: 0, key: '', author: 0 })
    message.recipient = { owner: JULIET, flags: INCOMING | KEPT }
    const entry = journal.entry()
    entry.message = message
    await journal.commit(entry)
    return message
  }
  return { log, journal, whereabouts, database, say }
}

async function two(t: Test): Promise<[Node, Node]> {
  const url = await freshPostgres()
  return [await node(t, url, 'one'), await node(t, url, 'other')]
}

test('a commit knows the lives that have sessions of whoever has the message', async (t) => {
  const [one, other] = await two(t)
  t.same((await one.say('<a/>')).lives, [])
  t.same((await other.whereabouts.here(juliet)).lives, [])
  t.same((await one.say('<b/>')).lives, ['other'])
  t.same((await one.whereabouts.here(juliet)).lives, ['other'])
  t.same([...(await one.say('<c/>')).lives!].sort(), ['one', 'other'])
})

test('two sessions of an account on a node are one row; it goes with the last of them', async (t) => {
  const [one, other] = await two(t)
  await other.whereabouts.here(juliet)
  await other.whereabouts.here(juliet)
  other.whereabouts.gone(JULIET)
  t.same((await one.whereabouts.here(juliet)).lives, ['other'])
  other.whereabouts.gone(JULIET)
  await other.whereabouts.here({ ...juliet, account: JULIET + 1 })
  t.same((await one.say('<a/>')).lives, ['one'])
})

test('one that goes and comes in one turn is there', async (t) => {
  const [one, other] = await two(t)
  await other.whereabouts.here(juliet)
  other.whereabouts.gone(JULIET)
  await other.whereabouts.here(juliet)
  t.same((await one.say('<a/>')).lives, ['other'])
})

test('either the commit sees who binds, or the log has the message for him, whoever comes first', async (t) => {
  const [one, other] = await two(t)
  const seen = { told: 0, read: 0 }
  for (let round = 0; round < 60; round++) {
    const binding = async (): Promise<number[]> => {
      await other.whereabouts.here(juliet)
      const page = { owner: JULIET, flags: INCOMING, limit: 1, backwards: true }
      return (await other.log.page(page)).messages.map(({ id }) => id)
    }
    // Either may be the first to be under way.
    const later = <T>(run: () => Promise<T>, turns: number): Promise<T> =>
      turns === 0 ? run() : new Promise(setImmediate).then(() => later(run, turns - 1))
    const [message, ids] = await Promise.all([
      later(() => one.say('<a/>'), round % 4),
      later(binding, (round >> 2) % 4),
    ])
    const told = message.lives!.includes('other')
    const read = ids.includes(message.id)
    t.ok(told || read)
    if (told) seen.told++
    if (read) seen.read++
    other.whereabouts.gone(JULIET)
    await other.whereabouts.here({ ...juliet, account: JULIET + 1 })
    other.whereabouts.gone(JULIET + 1)
  }
  t.ok(seen.told > 0 && seen.read > 0, `both happen: ${JSON.stringify(seen)}`)
})

test('who binds waits for a commit that has taken its numbers', async (t) => {
  const [one, other] = await two(t)
  const { knex } = one.database
  const underWay = await knex.transaction()
  await underWay('message_clock')
    .where('place', 1)
    .update({ last: knex.raw('last + 1') })
  let bound = false
  const binding = other.whereabouts.here(juliet).then(() => (bound = true))
  const waiting =
    "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  while (!bound && (await knex.raw(waiting)).length === 0) await new Promise(setImmediate)
  t.notOk(bound)
  await underWay.commit()
  await binding
})

test('lives that are over are found: fenced, or silent for long; and their accounts, until they are dropped', async (t) => {
  const [one, other] = await two(t)
  await other.whereabouts.here(juliet)
  await other.say('<a/>')
  const silent = (before: number) => one.whereabouts.silent(['one'], before)
  t.same(await silent(Date.now() - 60_000), [])
  t.same(await silent(Date.now() + 60_000), ['other'])
  await fence(one.database, 'other')
  t.same(await silent(0), ['other'])
  t.same(await one.whereabouts.of('other', 0, 10), [juliet])
  t.same(await one.whereabouts.of('other', JULIET, 10), [])
  await one.whereabouts.drop('other', [JULIET])
  t.same(await silent(0), [])
})

test('of a life that ends there stay the accounts with sessions that wait, no others (XEP-0198 §5)', async (t) => {
  const [one, other] = await two(t)
  await other.whereabouts.here(juliet)
  await other.whereabouts.here({ account: JULIET + 1, address: 'nurse@capulet.lit' })
  other.whereabouts.gone(JULIET + 1)
  await other.whereabouts.close()
  t.same(await one.whereabouts.of('other', 0, 10), [juliet])
})

/** The next so many writes are lost with their connection. */
function losing({ database }: Node, times: number): () => number {
  const write = database.write.bind(database)
  const lost = () => Promise.reject(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))
  let tries = 0
  database.write = (writes) => (tries++ < times ? lost() : write(writes))
  return () => tries
}

test('who binds does not notice that a connection to the database is lost', async (t) => {
  const [one, other] = await two(t)
  losing(other, 2)
  await other.whereabouts.here(juliet)
  t.same((await one.say('<a/>')).lives, ['other'])
})

test('a database that stays away is a lack of resources, and no bug (RFC 6120 §8.3.3.18)', async (t) => {
  const clock = new ManualClock()
  const one = await node(t, await freshPostgres(), 'one', clock)
  const tries = losing(one, Number.POSITIVE_INFINITY)
  const refused = one.whereabouts.here(juliet).catch((error: unknown) => error)
  let error: unknown
  void refused.then((it) => (error = it))
  while (!error) {
    clock.advance(1000)
    await new Promise(setImmediate)
  }
  t.match(error, { condition: 'resource-constraint' })
  t.ok(error instanceof StanzaError)
  t.ok(tries() > 1)
})

test('that the last session went is said again with what is written next, where it was lost', async (t) => {
  const [one, other] = await two(t)
  await other.whereabouts.here(juliet)
  const tries = losing(other, 1)
  other.whereabouts.gone(JULIET)
  while (tries() === 0) await new Promise(setImmediate)
  t.same((await one.say('<a/>')).lives, ['other'])
  await other.whereabouts.here({ ...juliet, account: JULIET + 1 })
  t.same((await one.say('<b/>')).lives, [])
})
