// What nodes tell each other: nobody else can say it, or say it again to somebody else.

import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import {
  type Batch,
  encodeBatch,
  encodeShared,
  partOf,
  readBatch,
} from '../../lib/cluster/batch.js'

const secret = randomBytes(32)

const batch: Batch = {
  from: 'a',
  life: 'first',
  to: 'b',
  toLife: 'second',
  number: 7,
  frames: [Buffer.from('one'), Buffer.alloc(0), Buffer.from([0, 10, 255])],
  last: false,
}

test('what was written is read', (t) => {
  t.strictSame(readBatch(secret, encodeBatch(secret, batch)), batch)
  t.end()
})

test('what is for all has a number for each, and is for nobody else', (t) => {
  const { from, life, frames } = batch
  const links = [
    ['b', 'second', 7],
    ['c', 'third', 1],
  ] as const
  const read = readBatch(secret, encodeShared(secret, { from, life, links, frames }))!
  t.strictSame(partOf(read, 'b'), batch)
  t.match(partOf(read, 'c'), { toLife: 'third', number: 1 })
  t.equal(partOf(read, 'a'), undefined)
  t.equal(partOf(batch, 'c'), undefined)
  t.end()
})

test("what is changed anywhere, or written with another secret, is nobody's", (t) => {
  const bytes = encodeBatch(secret, batch)
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at]! ^= 1
    if (readBatch(secret, changed)) t.fail(`byte ${at} may be changed`)
  }
  for (let length = 0; length < bytes.length; length++)
    if (readBatch(secret, bytes.subarray(0, length))) t.fail(`${length} bytes are taken for all`)
  t.equal(readBatch(randomBytes(32), bytes), undefined)
  t.end()
})
