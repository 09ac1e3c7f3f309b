// Ids that say nothing (XEP-0359 §3), and texts of strangers that are no ids (SEC-63).

import { test } from 'tap'
import fc from 'fast-check'
import { permutation } from '../../lib/xmpp/permutation.js'
import { hostileText } from './hostile-text.js'

const keyed = (seed: number) =>
  permutation(Uint8Array.from({ length: 16 }, (_, i) => i * 31 + seed))
const ours = keyed(1)
const LARGEST = Number.MAX_SAFE_INTEGER
const ids = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(),
  fc.constantFrom(0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52, LARGEST - 1, LARGEST),
)

test('what was sealed opens, and has one form', async (t) => {
  const key = fc.uint8Array({ minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(ids, key, (id, bytes) => {
      const { seal, open } = permutation(bytes)
      const text = seal(id)
      return /^[a-p][a-z2-7]{12}$/.test(text) && open(text) === id
    }),
    { numRuns: 5000 },
  )
  t.equal(ours.open(ours.seal(LARGEST)), LARGEST)
})

test('the text of an id is fixed for ever: clients keep it', async (t) => {
  t.equal(ours.seal(0), 'jzha3enyxvwnk')
  t.equal(ours.seal(1), 'k7v7qakqknqfd')
  t.equal(ours.seal(1_700_000_000_000 * 2048), 'pwlj64s5ht3h2')
  t.equal(ours.seal(LARGEST), 'brnyzw35u3uln')
})

test('ids that follow each other have nothing in common', async (t) => {
  const seen = new Set<string>()
  const starts = new Map<string, number>()
  const first = 1_700_000_000_000 * 2048
  for (let i = 0; i < 100_000; i++) {
    const text = ours.seal(first + i)
    seen.add(text)
    starts.set(text.slice(0, 2), (starts.get(text.slice(0, 2)) ?? 0) + 1)
  }
  t.equal(seen.size, 100_000)
  t.equal(starts.size, 512)
  t.ok(Math.max(...starts.values()) < 280, 'and the beginnings are spread evenly')
})

const bitsOf = (text: string): bigint =>
  [...text].reduce(
    (sum, c) => sum * 32n + BigInt('abcdefghijklmnopqrstuvwxyz234567'.indexOf(c)),
    0n,
  )

test('a bit of the id turns each bit of the text half the time', async (t) => {
  const samples = 200
  for (let bit = 0; bit < 53; bit++) {
    const turned = new Float64Array(64)
    for (let i = 0; i < samples; i++) {
      const id = BigInt(i * 40_503 * 2048)
      const change =
        bitsOf(ours.seal(Number(id))) ^ bitsOf(ours.seal(Number(id ^ (1n << BigInt(bit)))))
      for (let at = 0; at < 64; at++) if ((change >> BigInt(at)) & 1n) turned[at]!++
    }
    const worst = Math.max(...turned.map((n) => Math.abs(n / samples - 0.5)))
    if (worst > 0.2) t.fail(`bit ${bit}: ${worst}`)
  }
  t.pass()
})

test('a bit of the key turns half the text', async (t) => {
  const zero = new Uint8Array(16)
  for (let bit = 0; bit < 128; bit++) {
    const other = new Uint8Array(16)
    other[bit >> 3] = 1 << (bit & 7)
    let turned = 0
    for (let id = 0; id < 100; id++) {
      const change = bitsOf(permutation(zero).seal(id)) ^ bitsOf(permutation(other).seal(id))
      turned += change.toString(2).replaceAll('0', '').length
    }
    if (Math.abs(turned / 6400 - 0.5) > 0.05) t.fail(`bit ${bit}: ${turned}`)
  }
  t.pass()
})

test('what another key sealed opens once in 2048 times, and to another number', async (t) => {
  const theirs = keyed(2)
  let opened = 0
  for (let id = 0; id < 200_000; id++) {
    const found = ours.open(theirs.seal(id * 2048))
    if (found !== undefined) opened++
    if (found === id * 2048) t.fail('the same')
  }
  t.ok(opened > 40 && opened < 200, `${opened}`)
})

test('texts that nobody sealed are refused (SEC-63)', async (t) => {
  const valid = ours.seal(42)
  const hostile = [
    ...['', ' ', '0', '-1', 'NaN', '18446744073709551616', "' OR 1=1 --", 'a\0', '\0'.repeat(13)],
    ...[
      valid.toUpperCase(),
      ` ${valid}`,
      `${valid}a`,
      valid.slice(1),
      `${valid.slice(0, 12)}\u0130`,
    ],
    ...['q'.repeat(13), '7'.repeat(13), 'a'.repeat(1 << 20), `${valid.slice(0, 12)}\udc00`],
    ...[String.fromCharCode(valid.charCodeAt(0) + 16) + valid.slice(1)],
    ...['1', '0', '8', '9', '=', '`', '{'].map((c) => valid.slice(0, 12) + c),
  ]
  for (const text of hostile) t.equal(ours.open(text), undefined, JSON.stringify(text.slice(0, 20)))
  fc.assert(
    fc.property(hostileText(16), (text) => {
      const id = ours.open(text)
      return id === undefined || ours.seal(id) === text
    }),
  )
})

test('what is no id is not sealed, and a key has 128 bits', async (t) => {
  for (const id of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, LARGEST + 1])
    t.throws(() => ours.seal(id), RangeError)
  for (const length of [0, 15, 17]) t.throws(() => permutation(new Uint8Array(length)), RangeError)
  const within = new Uint8Array(20).fill(9, 2, 18).subarray(2, 18)
  t.equal(permutation(within).seal(5), permutation(new Uint8Array(16).fill(9)).seal(5))
})
