// What is kept of what was used lately.

import { test } from 'tap'
import { Generations } from '../../lib/ops/generations.js'

test('there is never more than the bound, and the half of it that was used last is there', (t) => {
  const kept = new Generations<number, number>(100)
  for (let key = 0; key < 1000; key++) {
    kept.set(key, key)
    if (kept.size > 100) t.fail(`${kept.size} after ${key}`)
  }
  for (let key = 999; key >= 950; key--) t.equal(kept.get(key), key)
  t.equal(kept.get(0), undefined)
  t.end()
})

test('what is asked for or set again stays', (t) => {
  const kept = new Generations<string, number>(10)
  kept.set('asked for', 1)
  kept.set('set', 0)
  for (let other = 0; other < 100; other++) {
    kept.set(`other ${other}`, other)
    t.equal(kept.get('asked for'), 1)
    kept.set('set', other)
  }
  t.equal(kept.get('set'), 99)
  t.end()
})
