// What modules remember, and how other nodes hear that it has changed.

import { test } from 'tap'
import type { Member } from '../../lib/cluster/cluster.js'
import { machineOf, nodesNamed } from '../../lib/core/cluster-verbs.js'
import type { Host } from '../../lib/core/host.js'
import { SharedChanges } from '../../lib/core/shared-changes.js'

function setUp() {
  const listening = new Map<string, (content: unknown) => void>()
  const told: [topic: string, content: unknown, node: string | undefined][] = []
  const forgotten: string[] = []
  let mourn: (member: Member, said: boolean) => void = () => {}
  const members = {
    self: { node: 'a', life: '1' },
    others: [{ node: 'b', life: '2' }] as Member[],
    all: () => [members.self, ...members.others],
    cutOff: false,
    onGone: (run: typeof mourn) => {
      mourn = run
    },
  }
  const things = {
    forget: (key: string) => void forgotten.push(key),
    forgetAll: () => void forgotten.push('all'),
  }
  const host = {
    domain: 'capulet.example',
    offered: () => [{ owner: 'm', offer: { things } }],
  } as unknown as Host
  const talk = {
    on: (topic: string, listen: (content: unknown) => void) => void listening.set(topic, listen),
    tell: (topic: string, content: unknown, node?: string) =>
      void told.push([topic, content, node]),
  }
  const server = { hosts: new Map([[host.domain, host]]), members, talk }
  const changes = new SharedChanges(server as never)
  const says = (topic: string, content: unknown) => listening.get(topic)!(content)
  const gone = (said: boolean) => mourn({ node: 'b', life: '2' }, said)
  return { changes, host, members, told, forgotten, says, gone }
}

test('what changed is told, and whoever hears of it forgets it', async (t) => {
  const { changes, host, told, forgotten, says } = setUp()
  changes.tell(host, 'things', 7)
  t.same(told.at(-1), ['changed', ['capulet.example', 'things', '7'], undefined])
  says('changed', ['capulet.example', 'things', '8'])
  says('changed', ['capulet.example', 'unknown', '8'])
  says('changed', ['montague.example', 'things', '8'])
  t.same(forgotten, ['8'])
})

test('a node that came lately is told once that it may have missed something', async (t) => {
  const { changes, members, told } = setUp()
  changes.greet()
  changes.greet()
  t.same(told, [['all may have changed', null, 'b']])
  members.others = [
    { node: 'b', life: '3' },
    { node: 'c', life: '4' },
  ]
  changes.greet()
  t.same(
    told.slice(1).map(([, , node]) => node),
    ['b', 'c'],
  )
})

test('all is forgotten after a node went without a word, and when others can be heard again', async (t) => {
  const { changes, members, forgotten, gone } = setUp()
  gone(true)
  t.same(forgotten, [])
  gone(false)
  t.same(forgotten, ['all'])
  t.equal(changes.believed, Number.POSITIVE_INFINITY)
  members.cutOff = true
  t.equal(changes.believed, 1000)
  members.cutOff = false
  t.equal(changes.believed, -1, 'what somebody has in hand is not believed')
  t.same(forgotten, ['all', 'all'])
  t.equal(changes.believed, Number.POSITIVE_INFINITY)
})

test('a name is a node, or all workers of a machine', async (t) => {
  const nodes = ['verona-0a', 'mantua-1b-1', 'mantua-1b-2', 'mantua-1b-c']
  t.same(nodesNamed(nodes, 'verona-0a'), ['verona-0a'])
  t.same(nodesNamed(nodes, 'mantua-1b'), ['mantua-1b-1', 'mantua-1b-2'])
  t.same(nodesNamed(nodes, 'mantua-1b-2'), ['mantua-1b-2'])
  t.same(nodesNamed(nodes, 'mantua'), [])
  t.equal(machineOf('mantua-1b-2', 2), 'mantua-1b')
  t.equal(machineOf('mantua-1'), 'mantua-1')
})
