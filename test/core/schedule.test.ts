// Tasks that run again and again.

import { test } from 'tap'
import { defineModule } from '../../lib/core/module.js'
import { Schedule } from '../../lib/core/schedule.js'
import { ManualClock } from '../world/clock.js'
import { world } from '../world/world.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('a task runs each time its time has come, not before', async (t) => {
  const clock = new ManualClock()
  const schedule = new Schedule(clock, () => t.fail('nothing fails'))
  let runs = 0
  schedule.add('a', { name: 'sweep', every: 1000, run: () => void runs++ })
  clock.advance(999)
  t.equal(runs, 0)
  clock.advance(1)
  t.equal(runs, 1)
  await turn()
  clock.advance(1000)
  t.equal(runs, 2)
})

test('a task that is still running is not started again', async (t) => {
  const clock = new ManualClock()
  const schedule = new Schedule(clock, () => t.fail('nothing fails'))
  let runs = 0
  let finish = () => {}
  const run = () => {
    runs++
    return new Promise<void>((resolve) => {
      finish = resolve
    })
  }
  schedule.add('a', { name: 'sweep', every: 1000, run })
  clock.advance(5000)
  await turn()
  t.equal(runs, 1)
  finish()
  await turn()
  clock.advance(1000)
  t.equal(runs, 2)
})

test('a task that breaks is logged by its name and runs again', async (t) => {
  const clock = new ManualClock()
  const failed: string[] = []
  const schedule = new Schedule(clock, (where, error) =>
    failed.push(`${where}: ${(error as Error).message}`),
  )
  const run = () => {
    throw new Error('broken')
  }
  schedule.add('a', { name: 'sweep', every: 1000, run })
  clock.advance(1000)
  await turn()
  clock.advance(1000)
  await turn()
  t.same(failed, ['task sweep: broken', 'task sweep: broken'])
})

test('tasks of an owner that is removed run no more, also one that was under way; nothing waits', async (t) => {
  const clock = new ManualClock()
  const schedule = new Schedule(clock, () => t.fail('nothing fails'))
  const ran: string[] = []
  let finish = () => {}
  const under = () =>
    new Promise<void>((resolve) => {
      ran.push('under way')
      finish = resolve
    })
  schedule.add('a', { name: 'under way', every: 1000, run: under })
  schedule.add('a', { name: 'waiting', every: 2000, run: () => void ran.push('waiting') })
  schedule.add('b', { name: 'other', every: 2000, run: () => void ran.push('other') })
  clock.advance(1000)
  schedule.remove('a')
  finish()
  await turn()
  clock.advance(1000)
  t.same(ran, ['under way', 'other'])
  await turn()
  schedule.close()
  t.equal(clock.waiting, 0)
})

test('an owner that comes back while its old task runs has one task', async (t) => {
  const clock = new ManualClock()
  const schedule = new Schedule(clock, () => t.fail('nothing fails'))
  let finish = () => {}
  const slow = () =>
    new Promise<void>((resolve) => {
      finish = resolve
    })
  let runs = 0
  schedule.add('a', { name: 'sweep', every: 1000, run: slow })
  clock.advance(1000)
  schedule.remove('a')
  schedule.add('a', { name: 'sweep', every: 1000, run: () => void runs++ })
  finish()
  await turn()
  t.equal(clock.waiting, 1)
  clock.advance(1000)
  t.equal(runs, 1)
})

test('what is to be done once is done by the first node by name, until that is gone', async (t) => {
  const done: string[] = []
  const sweeping = defineModule({
    name: 'sweeping',
    summary: 'Sweeps',
    setup: ({ server }) => ({
      tasks: [{ name: 'sweep', every: 1000, once: true, run: () => void done.push(server.node) }],
    }),
  })
  const w = await world(t, { nodes: 2, people: [], modules: [sweeping] })
  w.clock.advance(1000)
  await turn()
  t.same(done, ['node0'])
  await w.servers[0]!.stop()
  w.clock.advance(1000)
  t.same(done, ['node0', 'node1'])
})
