import { test } from 'tap'
import { TurnTaking } from '../../../modules/rooms/nodes/turn-taking.js'

function turns() {
  const failures: unknown[] = []
  const done: number[] = []
  const taking = new TurnTaking((error) => failures.push(error))
  return { taking, done, failures, add: (n: number) => taking.take(() => done.push(n)) }
}

test('what comes while something is held waits, and goes on in order until something holds again', (t) => {
  const { taking, done, add } = turns()
  add(1)
  t.same(done, [1], 'at once')
  taking.hold()
  add(2)
  taking.take(() => taking.hold())
  add(3)
  t.ok(taking.busy)
  taking.goOn(() => done.push(0))
  t.same(done, [1, 0, 2])
  add(4)
  t.same(done, [1, 0, 2], 'not before what waits')
  taking.goOn(() => undefined)
  t.same(done, [1, 0, 2, 3, 4])
  t.notOk(taking.busy)
  t.end()
})

test('what is taken by something that has its turn comes after what waits already', (t) => {
  const { taking, done, add } = turns()
  taking.hold()
  taking.take(() => add(3))
  add(2)
  taking.goOn(() => add(1))
  t.same(done, [2, 1, 3])
  t.end()
})

test('what fails is over, and nobody waits for it', (t) => {
  const { taking, done, failures, add } = turns()
  taking.hold()
  taking.take(() => {
    throw new Error('broken')
  })
  add(1)
  taking.goOn(() => undefined)
  t.same(done, [1])
  t.match(failures, [/broken/])
  t.end()
})

test('one turn has a share of writes, and a larger one for who is far behind (LIM-writes-at-once)', (t) => {
  const { taking } = turns()
  const shares: number[] = []
  taking.take(() => shares.push(taking.share(300), taking.share(300), taking.share(300)))
  t.same(shares, [300, 200, 0])
  taking.hold()
  for (let n = 0; n <= 100; n++) taking.take(() => undefined)
  t.ok(taking.farBehind)
  taking.goOn(() => shares.push(taking.share(1e6)))
  t.equal(shares.at(-1), 5000)
  t.notOk(taking.farBehind)
  t.end()
})
