// The contract of the message log, the same on both stores: its numbers, its pages, what is counted.

import { test } from 'tap'
import { KEPT, INCOMING, OUTGOING, timeOf, UNREAD } from '../../lib/storage/logged-message.js'
import { Jid } from '../../lib/xmpp/jid.js'
import {
  addressOf,
  answer,
  aside,
  type Book,
  bookOf,
  juliet,
  nurse,
  romeo,
} from './message-book.js'
import type { OpenBook } from './message-book.js'
import { boundsContract } from './message-log-bounds.js'
import { changesContract } from './message-log-changes.js'
import { repeatsContract } from './message-log-repeats.js'
import { statesContract } from './message-log-states.js'
import { troubleContract } from './message-log-trouble.js'
import type { StoreKind } from './stores.js'

export function messageLogContract(kind: StoreKind): void {
  const book = bookOf(kind)
  numbersContract(kind.name, book)
  pagesContract(kind.name, book)
  filtersContract(kind.name, book)
  countsContract(kind.name, book)
  boundsContract(kind.name, book)
  changesContract(kind.name, book)
  repeatsContract(kind.name, book)
  statesContract(kind.name, book)
  troubleContract(kind.name, book)
}

function isIncreasing(ids: readonly number[]): boolean {
  return ids.every((id, at) => at === 0 || id > ids[at - 1]!)
}

function numbersContract(name: string, book: OpenBook): void {
  test(`${name}: numbers grow in the order of commits and carry the time`, async (t) => {
    const { say, sayAll, clock } = await book(t)
    const start = clock.now()
    const group = await sayAll(Array.from({ length: 50 }, (_, at) => ({ text: `${at}` })))
    const ids = group.map(({ id }) => id)
    t.ok(isIncreasing(ids))
    t.strictSame(new Set(ids.map(timeOf)), new Set([start]))
    clock.advance(1)
    const later = await say({ text: 'later' })
    t.equal(timeOf(later.id), start + 1)
    t.ok(later.id > ids.at(-1)!)
  })

  test(`${name}: numbers grow also while the clock steps back`, async (t) => {
    const { say, clock, texts } = await book(t)
    const first = await say({ text: 'first' })
    clock.advance(-3_600_000)
    const second = await say({ text: 'second' })
    t.ok(second.id > first.id)
    t.strictSame(await texts(juliet), ['first', 'second'])
  })

  test(`${name}: numbers grow over a new start, also when the newest message is gone`, async (t) => {
    const before = await book(t)
    const [first, second] = await before.sayAll([{ text: 'first' }, { text: 'second' }])
    await before.log.drop(romeo, [first!.id, second!.id])
    await before.log.drop(juliet, [second!.id])
    await before.log.close()
    before.clock.advance(-60_000)
    const after = await book(t, { store: before.store, clock: before.clock })
    const third = await after.say({ text: 'third' })
    t.ok(third.id > second!.id)
    t.strictSame(await after.texts(juliet), ['first', 'third'])
  })

  test(`${name}: two that write at once: who saw a number never sees a smaller one come`, async (t) => {
    const one = await book(t)
    const other =
      one.database.kind === 'postgres' ? await book(t, { store: one.store, clock: one.clock }) : one
    const seen: number[] = []
    let writing = true
    const watched = (async () => {
      while (writing) {
        const after = seen.at(-1) ?? 0
        const { messages } = await one.log.page({ owner: juliet, limit: 1000 })
        const ids = messages.map(({ id }) => id)
        t.strictSame(ids.slice(0, seen.length), seen, 'nothing came in between')
        t.ok(ids.slice(seen.length).every((id) => id > after))
        seen.push(...ids.slice(seen.length))
      }
    })()
    const talk = async ({ say }: Book, name: string): Promise<void> => {
      for (let at = 0; at < 10; at++)
        await Promise.all([1, 2, 3].map((part) => say({ text: `${name} ${at} ${part}` })))
    }
    await Promise.all([talk(one, 'one'), talk(other, 'other')])
    writing = false
    await watched
    t.equal((await one.texts(juliet)).length, 60)
  })
}

function pagesContract(name: string, book: OpenBook): void {
  test(`${name}: both sides have a message, each its own flags`, async (t) => {
    const { say, log } = await book(t)
    const { id } = await say({ text: 'O Romeo', ...answer })
    const [sent] = (await log.page({ owner: juliet, limit: 5 })).messages
    const [received] = (await log.page({ owner: romeo, limit: 5 })).messages
    const message = { id, from: answer.from, to: answer.to, text: 'O Romeo' }
    t.strictSame(sent, { ...message, flags: KEPT | OUTGOING })
    t.strictSame(received, { ...message, flags: KEPT | INCOMING | UNREAD })
    t.strictSame((await log.page({ owner: nurse, limit: 5 })).messages, [])
  })

  test(`${name}: a message to oneself is there once`, async (t) => {
    const { say, log } = await book(t)
    await say({ text: 'a note', to: 'romeo@montague.lit' })
    const { messages } = await log.page({ owner: romeo, peer: addressOf.romeo, limit: 5 })
    t.equal(messages.length, 1)
    t.equal(messages[0]!.flags, KEPT | INCOMING | OUTGOING | UNREAD)
  })

  test(`${name}: text comes back as it was, as real Unicode`, async (t) => {
    const { say, texts } = await book(t)
    const text = 'Liebe ist süß \u{1f339} <b>"it\'s"</b>\n\t\\ {a,b} NULL'
    await say({ text: Buffer.from(text).toString('latin1') })
    t.strictSame(await texts(juliet), [text])
  })

  test(`${name}: pages go forwards and backwards, and say when nothing lies beyond`, async (t) => {
    const { sayAll, log } = await book(t)
    const all = await sayAll(Array.from({ length: 7 }, (_, at) => ({ text: `${at}` })))
    const read = async (query: object) => {
      const { messages, complete } = await log.page({ owner: juliet, limit: 3, ...query })
      return [messages.map(({ text }) => text).join(''), complete]
    }
    t.strictSame(await read({}), ['012', false])
    t.strictSame(await read({ after: all[2]!.id }), ['345', false])
    t.strictSame(await read({ after: all[3]!.id }), ['456', true])
    t.strictSame(await read({ after: all[6]!.id }), ['', true])
    t.strictSame(await read({ backwards: true }), ['456', false])
    t.strictSame(await read({ backwards: true, before: all[4]!.id }), ['123', false])
    t.strictSame(await read({ backwards: true, before: all[3]!.id }), ['012', true])
    t.strictSame(await read({ after: all[1]!.id, before: all[4]!.id }), ['23', true])
    t.strictSame(await read({ ids: [all[5]!.id, all[1]!.id, 77] }), ['15', true])
    t.strictSame(await read({ ids: [] }), ['', true])
    t.strictSame(await read({ limit: 0 }), ['', false])
    t.strictSame(await read({ limit: 7 }), ['0123456', true])
  })
}

function filtersContract(name: string, book: OpenBook): void {
  test(`${name}: with one of many, bare or a resource of theirs`, async (t) => {
    const { sayAll, texts } = await book(t)
    await sayAll([
      { text: 'a' },
      { text: 'b', ...aside },
      { text: 'c', ...answer },
      { text: 'd', from: 'juliet@capulet.lit/tomb', to: 'romeo@montague.lit' },
    ])
    t.strictSame(await texts(romeo, { peer: addressOf.juliet }), ['a', 'c', 'd'])
    t.strictSame(await texts(romeo, { peer: Jid.parse('juliet@capulet.lit/tomb') }), ['d'])
    t.strictSame(await texts(romeo, { peer: addressOf.nurse, backwards: true }), ['b'])
    t.strictSame(await texts(romeo, { peer: addressOf.romeo }), [])
    t.strictSame(await texts(nurse, { peer: addressOf.romeo }), ['b'])
  })

  test(`${name}: only those with all bits that were asked for`, async (t) => {
    const { sayAll, texts } = await book(t)
    await sayAll([
      { text: 'kept' },
      { text: 'owed', sent: undefined, received: UNREAD },
      { text: 'seen', received: KEPT },
    ])
    t.strictSame(await texts(juliet), ['kept', 'seen'])
    t.strictSame(await texts(juliet, { flags: INCOMING }), ['kept', 'owed', 'seen'])
    t.strictSame(await texts(juliet, { flags: UNREAD | INCOMING }), ['kept', 'owed'])
    t.strictSame(await texts(juliet, { flags: OUTGOING }), [])
    t.strictSame(await texts(romeo), ['kept', 'seen'])
  })

  test(`${name}: a rare resource is found at the end of a long conversation`, async (t) => {
    const { sayAll, log } = await book(t, { journal: { group: 2000 } })
    const noise = Array.from({ length: 1500 }, (_, at) => ({ text: `${at}`, ...answer }))
    const rare = { ...answer, from: 'juliet@capulet.lit/tomb' }
    await sayAll([...noise, { text: 'poison', ...rare }, { text: 'dagger', ...rare }])
    const peer = Jid.parse(rare.from)
    const one = await log.page({ owner: romeo, peer, limit: 1 })
    t.strictSame([one.messages.map(({ text }) => text), one.complete], [['poison'], false])
    const two = await log.page({ owner: romeo, peer, limit: 2 })
    t.strictSame([two.messages.map(({ text }) => text), two.complete], [['poison', 'dagger'], true])
    const back = await log.page({ owner: romeo, peer, limit: 1, backwards: true })
    t.strictSame([back.messages.map(({ text }) => text), back.complete], [['dagger'], false])
  })

  test(`${name}: addresses that share a hash are not one conversation`, async (t) => {
    const { sayAll, texts, log, database } = await book(t)
    await sayAll([{ text: 'a', label: 7 }, { text: 'b', ...aside, label: 7 }, { text: 'c' }])
    await log.indexed()
    const [{ peer }] = await database.knex('archive').where({ owner: romeo }).orderBy('id').limit(1)
    await database.knex('archive').where({ owner: romeo }).update({ peer })
    t.strictSame(await texts(romeo, { peer: addressOf.juliet, limit: 1 }), ['a'])
    t.strictSame(await texts(romeo, { peer: addressOf.juliet }), ['a', 'c'])
    const found = await log.labelled({ owner: romeo, peer: addressOf.juliet, label: 7 })
    t.strictSame(
      found.map(({ text }) => text),
      ['a'],
    )
  })
}

function countsContract(name: string, book: OpenBook): void {
  test(`${name}: unread counts what came in after a message and counts`, async (t) => {
    const { sayAll, log } = await book(t)
    const [first] = await sayAll([
      { text: 'a' },
      { text: 'b', received: KEPT },
      { text: 'c' },
      { text: 'd', ...answer },
      { text: 'e', from: 'nurse@capulet.lit' },
    ])
    const places = (after: number) => [
      { peer: addressOf.nurse, after: 0 },
      { peer: addressOf.romeo, after },
    ]
    const count = async (after: number) => (await log.unread(juliet, places(after)))[1]
    t.equal(await count(0), 2)
    t.equal(await count(first!.id), 1)
    t.strictSame(await log.unread(juliet, []), [])
    await log.indexed()
    t.equal(await count(0), 2)
    await sayAll([{ text: 'f' }])
    t.equal(await count(0), 3)
    await log.replace(first!.id, 'gone')
    t.equal(await count(0), 2, 'a tombstone does not count')
  })

  test(`${name}: nobody counts further than the bound (LIM-unread)`, async (t) => {
    const { sayAll, log } = await book(t, { journal: { group: 20_000, most: 20_000 } })
    await sayAll(Array.from({ length: 10_050 }, () => ({ text: '', sent: undefined })))
    const places = [{ peer: addressOf.romeo, after: 0 }]
    t.strictSame(await log.unread(juliet, places), [10_000])
    await log.indexed()
    t.strictSame(await log.unread(juliet, places), [10_000])
  })

  test(`${name}: conversations by their newest message, newest first`, async (t) => {
    const { sayAll, log } = await book(t)
    const [, b, c] = await sayAll([
      { text: 'a' },
      { text: 'b', ...aside },
      { text: 'c', ...answer },
    ])
    await log.indexed()
    const [d] = await sayAll([
      { text: 'd', to: 'friar@verona.lit' },
      { text: 'e', ...aside, sent: 0, received: 0 },
    ])
    const list = async (limit: number) =>
      (await log.conversations(romeo, limit)).map(({ id, peer }) => [id, peer.text])
    const all = [
      [d!.id, 'friar@verona.lit'],
      [c!.id, addressOf.juliet.text],
      [b!.id, addressOf.nurse.text],
    ]
    t.strictSame(await list(10), all)
    t.strictSame(await list(2), all.slice(0, 2))
    await log.indexed()
    t.strictSame(await list(10), all)
    t.strictSame(await log.conversations(99, 10), [])
  })

  test(`${name}: a message is found by its label, the newest first`, async (t) => {
    const { sayAll, log } = await book(t)
    await sayAll([
      { text: 'a', label: 5 },
      { text: 'b', label: 6 },
    ])
    await log.indexed()
    await sayAll([
      { text: 'c', label: 5 },
      { text: 'd', label: 5, ...aside },
    ])
    const found = await log.labelled({ owner: juliet, peer: addressOf.romeo, label: 5 })
    t.strictSame(
      found.map(({ text }) => text),
      ['c', 'a'],
    )
    t.strictSame(await log.labelled({ owner: juliet, peer: addressOf.nurse, label: 5 }), [])
  })
}
