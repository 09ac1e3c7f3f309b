// Owners in memory over one SQLite file, who is asked first, and how much a node owns.

import { test } from 'tap'
import { MemoryCluster } from '../../lib/cluster/memory.js'
import { choose } from '../../lib/cluster/owners.js'
import { Tenures } from '../../lib/cluster/tenures.js'
import { ownersContract } from '../contracts/owners.js'
import { nodesOf } from './owning-nodes.js'

ownersContract('in memory', async (t) => nodesOf(t, new MemoryCluster(), 'sqlite'))

test('keys are spread, and few of them move when a node comes', (t) => {
  const nodes = ['a', 'b', 'c', 'd'].map((node) => ({ node, life: `of ${node}` }))
  const keys = Array.from({ length: 4000 }, (_, i) => `room${i}@rooms.capulet.example`)
  const three = keys.map((key) => choose(nodes.slice(0, 3), key).node)
  const four = keys.map((key) => choose(nodes, key).node)
  for (const { node } of nodes)
    t.ok(Math.abs(four.filter((owner) => owner === node).length - 1000) < 150)
  for (const [at, owner] of four.entries())
    if (owner !== 'd' && owner !== three[at]) t.fail('moved')
  t.end()
})

test('a node owns no more than it can remember (LIM-owned)', async (t) => {
  const tenures = new Tenures({
    kind: 'rooms',
    owner: { take: () => {}, answer: () => 1, release: () => {} },
    deeds: { claim: async () => ({ epoch: 1 }), release: async () => {} },
    takeOver: async () => false,
    most: 2,
  })
  const question = { content: 1, from: 'a', number: '1' }
  for (const key of ['a', 'b']) await tenures.answer(key, question)
  await t.rejects(tenures.answer('c', question), { message: /^resource-constraint/ })
  await tenures.letGo('a')
  t.same(await tenures.answer('c', question), { answer: 1 })
  t.equal(tenures.size, 2)
})
