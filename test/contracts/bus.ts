// What every bus promises, in memory or over a network.

import { test } from 'tap'
import type { Bus } from '../../lib/cluster/bus.js'

export interface BusFactory {
  /** Nodes of one cluster of their own. */
  open(nodes: readonly string[]): Promise<Bus[]>
  /** Resolves when whatever was sent has arrived. */
  settle(): Promise<void>
}

function receiving(bus: Bus): string[] {
  const got: string[] = []
  bus.onFrame((from, frame) => void got.push(`${from}: ${frame}`))
  return got
}

const text = (value: string) => Buffer.from(value)

export function busContract(kind: string, factory: BusFactory): void {
  test(`bus ${kind}: frames between two nodes arrive in their order, once, and say who sent them`, async (t) => {
    const [a, b, c] = await factory.open(['a', 'b', 'c'])
    const [atA, atB, atC] = [a!, b!, c!].map(receiving)
    for (let i = 0; i < 100; i++) {
      await a!.send('b', text(`${i}`))
      if (i % 10 === 0) await c!.send('b', text(`c${i}`))
    }
    await b!.send('a', text('back'))
    await factory.settle()
    const from = (name: string) => atB!.filter((frame) => frame.startsWith(`${name}:`))
    t.same(
      from('a'),
      Array.from({ length: 100 }, (_, i) => `a: ${i}`),
    )
    t.same(
      from('c'),
      Array.from({ length: 10 }, (_, i) => `c: c${i * 10}`),
    )
    t.same(atA, ['b: back'])
    t.same(atC, [])
    await Promise.all([a!, b!, c!].map((bus) => bus.close()))
  })

  test(`bus ${kind}: what is for all comes to each of the others, in its order with what is for one`, async (t) => {
    const buses = await factory.open(['a', 'b', 'c', 'd'])
    const [atA, ...others] = buses.map(receiving)
    const [a] = buses
    for (let i = 0; i < 10; i++) {
      a!.sendAll(text(`${i} all`))
      a!.sendAll(text(`${i} all again`))
      for (const node of ['b', 'c', 'd']) void a!.send(node, text(`${i} one`))
      if (i % 3 === 0) await a!.send('b', text(`${i} b`))
    }
    await a!.send('c', text('end'))
    await factory.settle()
    const each = (i: number) => [`a: ${i} all`, `a: ${i} all again`, `a: ${i} one`]
    const expected = Array.from({ length: 10 }, (_, i) => each(i))
    t.same(atA, [])
    t.same(others[1], [...expected.flat(), 'a: end'])
    t.same(others[2], expected.flat())
    t.same(
      others[0],
      expected.flatMap((frames, i) => (i % 3 === 0 ? [...frames, `a: ${i} b`] : frames)),
    )
    await Promise.all(buses.map((bus) => bus.close()))
    buses[0]!.sendAll(text('late'))
  })

  test(`bus ${kind}: nothing arrives while the sender is still at it`, async (t) => {
    const [a, b] = await factory.open(['a', 'b'])
    const got = receiving(b!)
    const sent = a!.send('b', text('1'))
    t.same(got, [])
    t.equal(await sent, true)
    await factory.settle()
    t.same(got, ['a: 1'])
    await Promise.all([a!.close(), b!.close()])
  })

  test(`bus ${kind}: any bytes arrive as they are, also none`, async (t) => {
    const [a, b] = await factory.open(['a', 'b'])
    const got: Buffer[] = []
    b!.onFrame((_from, frame) => void got.push(Buffer.from(frame)))
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    for (const frame of [bytes, Buffer.alloc(0), Buffer.alloc(300_000, 7)])
      await a!.send('b', frame)
    await factory.settle()
    t.same(
      got.map((frame) => frame.length),
      [256, 0, 300_000],
    )
    t.ok(got[0]!.equals(bytes))
    await Promise.all([a!.close(), b!.close()])
  })

  test(`bus ${kind}: sending says whether the node was there`, async (t) => {
    const [a, b] = await factory.open(['a', 'b'])
    receiving(b!)
    t.equal(await a!.send('b', text('1')), true)
    t.equal(await a!.send('nobody', text('1')), false)
    await factory.settle()
    await b!.close()
    t.equal(await a!.send('b', text('2')), false)
    await a!.close()
  })

  test(`bus ${kind}: a node that is closed receives nothing more and is no node`, async (t) => {
    const [a, b] = await factory.open(['a', 'b'])
    const got = receiving(b!)
    t.same([...a!.nodes()].sort(), ['a', 'b'])
    await a!.send('b', text('under way'))
    await factory.settle()
    await b!.close()
    await a!.send('b', text('late'))
    await factory.settle()
    t.same(got, ['a: under way'])
    t.same(a!.nodes(), ['a'])
    t.equal(a!.node, 'a')
    await a!.close()
  })
}
