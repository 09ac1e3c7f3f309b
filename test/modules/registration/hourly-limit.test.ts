// The count of what strangers did within an hour (LIM-registration).

import { test } from 'tap'
import { HourlyLimit } from '../../../modules/registration/hourly-limit.js'

test('within any hour, not from hour to hour', async (t) => {
  let now = 0
  const limit = new HourlyLimit(2, () => now)
  t.ok(limit.take('192.0.2.1'))
  now = 40 * 60_000
  t.ok(limit.take('192.0.2.1'))
  now = 59 * 60_000
  t.notOk(limit.take('192.0.2.1'))
  now = 61 * 60_000
  t.ok(limit.take('192.0.2.1'))
  t.notOk(limit.take('192.0.2.1'))
  limit.giveBack('192.0.2.1')
  t.ok(limit.take('192.0.2.1'))
})

test('a flood of addresses does not fill the memory (SEC-30)', async (t) => {
  const limit = new HourlyLimit(3, () => 0)
  for (let i = 0; i < 25_000; i++) limit.take(`2001:db8:${(i >> 8).toString(16)}:${i & 255}::1`)
  t.ok(limit.size <= 10_000)
})
