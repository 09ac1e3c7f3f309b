// Numbers that are in databases: they must never change, and must spread.

import { test } from 'tap'
import fc from 'fast-check'
import { hash53 } from '../../lib/xmpp/hash53.js'

test('the number of a text is fixed for ever', async (t) => {
  t.equal(hash53(''), 1985241163782031)
  t.equal(hash53('juliet@im.example'), 6577064307366534)
  t.equal(hash53('romeo@montague.example/orchard'), 1066671236861514)
  t.equal(hash53('de305d54-75b4-431b-adb2-eb6b9e546013'), 2777900158843548)
  t.equal(hash53('жюльет@café.example 👋'), 6324491573012294)
})

test('it is a safe integer for any text', async (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 80 })
  fc.assert(
    fc.property(text, (given) => {
      const hash = hash53(given)
      return Number.isSafeInteger(hash) && hash >= 0 && hash === hash53(given)
    }),
  )
  t.ok(Number.isSafeInteger(hash53('\ud800'.repeat(1000))))
})

test('texts that differ little have numbers that differ', async (t) => {
  const seen = new Set<number>()
  let count = 0
  const add = (text: string): void => {
    seen.add(hash53(text))
    count++
  }
  for (let i = 0; i < 100_000; i++) {
    add(`user${i}@im.example`)
    add(`${i}`)
    add(String.fromCharCode(i & 0xff, i >> 8, 1))
  }
  for (let i = 0; i < 2000; i++) add('\0'.repeat(i))
  t.equal(seen.size, count)
})

test('every bit is set half the time, and turns half the time when a bit of the text turns', async (t) => {
  const samples = 4000
  const set = new Float64Array(53)
  const turned = new Float64Array(53)
  for (let i = 0; i < samples; i++) {
    const text = `user${i * 7}@im.example`
    const at = i % text.length
    const turnedUnit = String.fromCharCode(text.charCodeAt(at) ^ (1 << (i % 7)))
    const hash = BigInt(hash53(text))
    const other = BigInt(hash53(text.slice(0, at) + turnedUnit + text.slice(at + 1)))
    for (let bit = 0; bit < 53; bit++) {
      if ((hash >> BigInt(bit)) & 1n) set[bit]!++
      if (((hash ^ other) >> BigInt(bit)) & 1n) turned[bit]!++
    }
  }
  for (const counts of [set, turned])
    t.ok(
      counts.every((n) => Math.abs(n / samples - 0.5) < 0.05),
      `${[...counts]}`,
    )
})
