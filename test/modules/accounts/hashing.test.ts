// PBKDF2 in a bounded queue (SEC-25), and what may be a password.

import { pbkdf2Sync } from 'node:crypto'
import { test } from 'tap'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { BoundedCache } from '../../../modules/accounts/bounded-cache.js'
import { GatheredReads } from '../../../lib/storage/gathered-reads.js'
import { HashQueue } from '../../../modules/accounts/hashing.js'
import { newPassword, preparePassword } from '../../../modules/accounts/password-policy.js'
import { ManualClock } from '../../world/clock.js'

const notAcceptable = Object.assign(new Error(), {
  name: 'StanzaError',
  condition: 'not-acceptable',
})

const derivation = { hash: 'SHA-256', salt: Buffer.alloc(16), iterations: 10 } as const

test('keys are derived as RFC 5802 §2.2 says', async (t) => {
  const derived = await new HashQueue().derive('pencil', derivation)
  t.same(derived, pbkdf2Sync('pencil', derivation.salt, 10, 32, 'sha256'))
})

test('SEC-25: two at a time, a bounded number waiting, the rest refused at once', async (t) => {
  const queue = new HashQueue(2, 5)
  const outcomes = Array.from({ length: 20 }, () => queue.derive('x', derivation))
  t.equal(queue.waiting, 5)
  const settled = await Promise.allSettled(outcomes)
  t.equal(settled.filter(({ status }) => status === 'fulfilled').length, 7)
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  t.equal(refused.length, 13)
  for (const error of refused)
    t.ok(error instanceof StanzaError && error.condition === 'resource-constraint')
  t.equal(queue.waiting, 0)
  t.ok(await queue.derive('x', derivation), 'and then there is room again')
})

test('a derivation that fails gives its turn back', async (t) => {
  const queue = new HashQueue(1, 0)
  await t.rejects(queue.derive('x', { ...derivation, iterations: 0 }))
  t.ok(await queue.derive('x', derivation))
})

test('what may be a password (RFC 8265 §4.2)', async (t) => {
  t.equal(preparePassword('correct horse'), 'correct horse')
  t.equal(preparePassword(' '), ' ')
  t.equal(preparePassword(' π'), ' π', 'a space in front is part of it')
  t.equal(preparePassword('A\u030a'), 'Å', 'composed')
  t.equal(preparePassword('a\u3000b'), 'a b', 'other spaces are spaces')
  t.equal(preparePassword('Ａ'), 'Ａ', 'full width is kept')
  for (const none of [
    '',
    'tab\there',
    'line\nbreak',
    '\0',
    'x\u200b',
    'x'.repeat(1024),
    '😀'.repeat(256),
    '\ud800',
  ]) {
    t.equal(preparePassword(none), undefined, JSON.stringify(none.slice(0, 9)))
  }
  t.equal(preparePassword('x'.repeat(1023))?.length, 1023)
})

test('a new password is as long as whoever sets it must make it', async (t) => {
  t.equal(newPassword('1234567', 1), '1234567')
  t.throws(() => newPassword('1234567', 8), notAcceptable)
  t.throws(() => newPassword('😀😀😀😀', 8), notAcceptable)
  t.equal(newPassword('12345678', 8), '12345678')
  t.throws(() => newPassword(''), notAcceptable)
})

test('SEC-30: the cache has a bound, and the oldest use goes first', async (t) => {
  const clock = new ManualClock()
  const cache = new BoundedCache<number>(100, () => clock.now())
  for (let at = 0; at < 10_000; at++) {
    cache.set(`name${at}`, at)
    cache.get('name0')
  }
  t.equal(cache.size, 100)
  t.equal(cache.get('name0'), 0)
  t.equal(cache.get('name1'), undefined)
  clock.advance(1001)
  t.equal(cache.get('name0', 1000), undefined)
})

test('reads that come while one is under way are one query, each with its own answer', async (t) => {
  const queries: (readonly string[])[] = []
  const reads = new GatheredReads(async (keys) => {
    queries.push(keys)
    await new Promise((resolve) => setImmediate(resolve))
    if (keys.includes('broken')) throw new Error('broken')
    return new Map(keys.filter((key) => key !== 'nobody').map((key) => [key, key.length]))
  })
  const first = reads.read('romeo')
  const rest = ['juliet', 'nobody', 'juliet'].map((key) => reads.read(key))
  t.equal(await first, 5)
  t.same(await Promise.all(rest), [6, undefined, 6])
  t.same(queries, [['romeo'], ['juliet', 'nobody']])
  await t.rejects(reads.read('broken'), { message: 'broken' })
  t.equal(await reads.read('romeo'), 5, 'and goes on')
  await Promise.all(Array.from({ length: 1000 }, (_, at) => reads.read(`name${at}`)))
  t.ok(Math.max(...queries.map(({ length }) => length)) <= 200)
})
