// Bus and directory within one process.

import { test } from 'tap'
import { MemoryCluster } from '../../lib/cluster/memory.js'
import { busContract } from '../contracts/bus.js'
import { directoryContract } from '../contracts/directory.js'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

busContract('in memory', {
  async open(nodes) {
    const cluster = new MemoryCluster()
    return nodes.map((node) => cluster.bus(node))
  },
  settle: turn,
})

directoryContract('in memory', {
  async open(count) {
    const cluster = new MemoryCluster()
    return Array.from({ length: count }, () => cluster.directory())
  },
})

test('two nodes of one name are refused', async (t) => {
  const cluster = new MemoryCluster()
  cluster.bus('a')
  t.throws(() => cluster.bus('a'), /there is a node a already/)
})

test('looking up answers at once', async (t) => {
  const directory = new MemoryCluster().directory()
  t.ok(Array.isArray(directory.lookup('romeo@capulet.example')))
})
