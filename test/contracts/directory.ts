// What every directory promises, in memory or over a network.

import { test } from 'tap'
import type { Directory, Place } from '../../lib/cluster/directory.js'

export interface DirectoryFactory {
  /** As many views of one directory of their own. */
  open(count: number): Promise<Directory[]>
}

const ROMEO = 'romeo@capulet.example'

function place(id: string, more: Partial<Place> = {}): Place {
  return { id, node: 'a', resource: `resource of ${id}`, available: false, priority: 0, ...more }
}

const plain = ({ id, node, resource, available, priority }: Place): Place => ({
  ...{ id, node, resource },
  ...{ available, priority },
})

const seen = async (directory: Directory, account = ROMEO): Promise<Place[]> =>
  [...(await directory.lookup(account))].map(plain).sort((a, b) => (a.id < b.id ? -1 : 1))

export function directoryContract(kind: string, factory: DirectoryFactory): void {
  test(`directory ${kind}: an account has several places, on any node, and every node sees them`, async (t) => {
    const [a, b] = await factory.open(2)
    await a!.put(ROMEO, place('1'))
    await b!.put(ROMEO, place('2', { node: 'b', available: true, priority: -3 }))
    const both = [place('1'), place('2', { node: 'b', available: true, priority: -3 })]
    t.same(await seen(a!), both)
    t.same(await seen(b!), both)
    await Promise.all([a!.close(), b!.close()])
  })

  test(`directory ${kind}: a place with the same id is replaced`, async (t) => {
    const [a] = await factory.open(1)
    await a!.put(ROMEO, place('1'))
    await a!.put(ROMEO, place('2'))
    await a!.put(ROMEO, place('1', { available: true, priority: 5 }))
    t.same(await seen(a!), [place('1', { available: true, priority: 5 }), place('2')])
    await a!.close()
  })

  test(`directory ${kind}: removing takes one place, from whatever node, and what is not there is no error`, async (t) => {
    const [a, b] = await factory.open(2)
    await a!.put(ROMEO, place('1'))
    await a!.put(ROMEO, place('2'))
    await b!.remove(ROMEO, '1')
    await b!.remove(ROMEO, '7')
    await b!.remove('nobody@capulet.example', '1')
    t.same(await seen(b!), [place('2')])
    await a!.remove(ROMEO, '2')
    b!.doubt(ROMEO)
    t.same(await seen(b!), [])
    await Promise.all([a!.close(), b!.close()])
  })

  test(`directory ${kind}: accounts are told apart; of one that is unknown there is nothing`, async (t) => {
    const [a] = await factory.open(1)
    await a!.put(ROMEO, place('1'))
    t.same(await seen(a!, 'juliet@capulet.example'), [])
    t.same(await seen(a!, 'constructor'), [])
    t.same(await seen(a!), [place('1')])
    await a!.close()
  })

  test(`directory ${kind}: what was looked up does not change in the hand`, async (t) => {
    const [a] = await factory.open(1)
    await a!.put(ROMEO, place('1'))
    const before = await a!.lookup(ROMEO)
    await a!.put(ROMEO, place('2'))
    await a!.remove(ROMEO, '1')
    t.same(before.map(plain), [place('1')])
    await a!.close()
  })
}
