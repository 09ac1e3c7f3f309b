// What nodes tell and ask each other.

import { test, type Test } from 'tap'
import { MemoryCluster } from '../../lib/cluster/memory.js'
import { Refused, Talk, Unanswered } from '../../lib/cluster/talk.js'
import { silentLog } from '../../lib/ops/log.js'
import { ManualClock } from '../world/clock.js'

function nodes(t: Test, names: readonly string[]) {
  const cluster = new MemoryCluster()
  const clock = new ManualClock()
  const talks = names.map((name) => {
    const bus = cluster.bus(name)
    const talk = new Talk(bus, { clock, log: silentLog })
    bus.onFrame((from, frame) => void talk.take(from, frame))
    t.teardown(() => talk.close())
    return talk
  })
  return { talks, clock }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('what is told is heard by all others, with its content and who said it', async (t) => {
  const { talks } = nodes(t, ['a', 'b', 'c'])
  const heard: unknown[] = []
  for (const [at, talk] of talks.entries())
    talk.on('news', (content, from) => void heard.push([at, content, from]))
  talks[0]!.tell('news', { of: ['romeo'] })
  await turn()
  t.same(heard, [
    [1, { of: ['romeo'] }, 'a'],
    [2, { of: ['romeo'] }, 'a'],
  ])
  talks[1]!.tell('news', 1, 'c')
  await turn()
  t.same(heard.slice(2), [[2, 1, 'b']])
})

test('a question has the answer that its listener gives or promises', async (t) => {
  const { talks } = nodes(t, ['a', 'b'])
  const [a, b] = talks as [Talk, Talk]
  b.on('double', async (content) => (content as number) * 2)
  b.on('nothing', () => undefined)
  t.equal(await a.ask('b', 'double', 21), 42)
  t.equal(await a.ask('b', 'nothing', 21), null)
})

test('who refuses, knows of nothing or breaks says so', async (t) => {
  const { talks } = nodes(t, ['a', 'b'])
  const [a, b] = talks as [Talk, Talk]
  b.on('no', () => {
    throw new Refused('not here')
  })
  await t.rejects(a.ask('b', 'no', 1), new Refused('not here'))
  await t.rejects(a.ask('b', 'what', 1), new Refused('nobody knows of what'))
})

test('who is given up answers nothing that was asked before', async (t) => {
  const { talks } = nodes(t, ['a', 'b', 'c'])
  const [a, b, c] = talks as [Talk, Talk, Talk]
  let answer: (value: unknown) => void = () => {}
  b.on('slow', () => new Promise(() => {}))
  c.on('slow', () => new Promise((resolve) => (answer = resolve)))
  const [asked, other] = [a.ask('b', 'slow', 1), a.ask('c', 'slow', 1)]
  await turn()
  a.giveUp('b')
  await t.rejects(asked, new Unanswered('b is over'))
  answer(1)
  t.equal(await other, 1)
  t.equal(await a.reaches('b'), true)
  t.equal(await a.reaches('nobody'), false)
})

test('nobody there, no answer in time, and an answer that comes too late', async (t) => {
  const { talks, clock } = nodes(t, ['a', 'b'])
  const [a, b] = talks as [Talk, Talk]
  await t.rejects(a.ask('nobody', 'x', 1), new Unanswered('nobody is not there'))
  let answer: (value: unknown) => void = () => {}
  b.on('slow', () => new Promise((resolve) => (answer = resolve)))
  const asked = a.ask('b', 'slow', 1, 1000)
  await turn()
  clock.advance(1000)
  await t.rejects(asked, new Unanswered('b does not answer'))
  answer(1)
  await turn()
})
