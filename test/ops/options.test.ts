// Kinds of options: what an operator may write for each, and what is said about the rest.

import { test } from 'tap'
import { bytes, choice, duration, flag, integer, list, text } from '../../lib/ops/options.js'

const doc = ''

test('a whole number, also in quotes, within its bounds', async (t) => {
  const option = integer({ default: 5, min: -2, max: 10, doc })
  t.same([5, '7', '-2', 10].map(option.read), [5, 7, -2, 10])
  for (const wrong of [
    '',
    ' 5',
    '5.0',
    1.5,
    '1e3',
    '0x5',
    null,
    true,
    [5],
    Number.NaN,
    '9'.repeat(20),
  ])
    t.throws(() => option.read(wrong), /a whole number is wanted/, String(wrong))
  t.throws(() => option.read(11), /at most 10 is allowed/)
  t.throws(() => option.read(-3), /at least -2 is wanted/)
})

test('a duration is in milliseconds', async (t) => {
  const option = duration({ default: '1 s', doc })
  const read = (written: unknown) => option.read(written)
  t.equal(read('10 ms'), 10)
  t.equal(read('30 s'), 30_000)
  t.equal(read('1.5 minutes'), 90_000)
  t.equal(read('5m'), 300_000)
  t.equal(read('1 hour'), 3_600_000)
  t.equal(read('2 days'), 172_800_000)
  t.equal(read('1 week'), 604_800_000)
  t.equal(read('1 year'), 365 * 86_400_000)
  for (const wrong of ['', '5', 5, '5 fortnights', '-1 s', 's', '1 s 2', null, '5 constructor'])
    t.throws(() => read(wrong), /a duration is wanted/, String(wrong))
})

test('a duration has bounds, and is for ever only where that is allowed', async (t) => {
  const bounded = duration({ default: '10 s', min: '1 s', max: '1 minute', doc })
  t.throws(() => bounded.read('10 ms'), /at least 1 seconds is wanted/)
  t.throws(() => bounded.read('2 minutes'), /at most 60 seconds is allowed/)
  t.throws(() => bounded.read('never'), /at most 60 seconds/)
  t.throws(() => duration({ default: '10 s', doc }).read('forever'), /cannot be for ever/)
  t.equal(duration({ default: 'never', doc }).read('never'), Number.POSITIVE_INFINITY)
  t.equal(duration({ default: '1 s', max: 'forever', doc }).read('never'), Number.POSITIVE_INFINITY)
})

test('a size is in bytes', async (t) => {
  const option = bytes({ default: '1 MB', min: '1 KiB', max: '1 GB', doc })
  t.same(['2048', 4096, '256 KiB', '50 MB', '1.5mib', '1 GB'].map(option.read), [
    ...[2048, 4096, 262_144, 50_000_000, 1_572_864, 1_000_000_000],
  ])
  for (const wrong of ['', 'KB', '-5', '5 apples', null, '5 constructor', '5 valueOf'])
    t.throws(() => option.read(wrong), /a size is wanted/, String(wrong))
  t.throws(() => option.read('1 b'), /at least 1024 bytes is wanted/)
  t.throws(() => option.read('2 GB'), /at most 1000000000 bytes is allowed/)
})

test('a text, with a pattern where there is one', async (t) => {
  const option = text({
    default: '',
    doc,
    pattern: /^[a-z0-9]*$/,
    wanted: 'small letters are wanted',
  })
  t.same(['abc', '', 5].map(option.read), ['abc', '', '5'])
  t.throws(() => option.read('ABC'), /small letters are wanted/)
  for (const wrong of [null, true, ['a'], {}])
    t.throws(() => option.read(wrong), /a text is wanted/)
})

test('yes or no, one of several, a list', async (t) => {
  const yes = flag({ default: true, doc })
  t.same([true, 'true', false, 'false'].map(yes.read), [true, true, false, false])
  for (const wrong of ['yes', 1, null, ''])
    t.throws(() => yes.read(wrong), /true or false is wanted/)
  const one = choice({ default: 'a', choices: ['a', 'b'], doc })
  t.equal(one.read('b'), 'b')
  for (const wrong of ['c', 'A', null, 'constructor'])
    t.throws(() => one.read(wrong), /one of a, b is wanted/)
  const several = list({ default: [], max: 2, doc })
  t.same(several.read('one'), ['one'])
  t.same(several.read(['a', 'b']), ['a', 'b'])
  t.throws(() => several.read(['a', 5]), /a list of texts is wanted/)
  t.throws(() => several.read(['a', 'b', 'c']), /at most 2 entries are allowed/)
})

test('every default can be read', async (t) => {
  for (const option of [
    integer({ default: 5, doc }),
    duration({ default: 'never', doc }),
    bytes({ default: '1 MB', doc }),
    list({ default: ['a'], doc }),
  ])
    t.doesNotThrow(() => option.read(option.default), option.kind)
})
