// Each key has one owner among the nodes, who answers all questions about it, whatever kind of cluster and
// database they share.

import { test, type Test } from 'tap'
import type { Owned } from '../../lib/cluster/owners.js'
import type { Question } from '../../lib/cluster/tenures.js'
import type { Server } from '../../lib/core/server.js'
import { StanzaError } from '../../lib/xmpp/errors.js'

export interface OwningNodes {
  /** One more node of the same cluster and database */
  start(): Promise<Server>
  /** It says nothing more, to nobody, and holds nothing. */
  kill(server: Server): Promise<void>
  /** Until they know each other */
  met(servers: readonly Server[]): Promise<void>
}

export type OpenNodes = (t: Test) => Promise<OwningNodes>

interface Node {
  readonly server: Server
  readonly owned: Owned
  /** Keys that it has taken up and not let go, with the numbers of their tenures */
  readonly has: Map<string, number>
}

interface Scene {
  readonly nodes: Node[]
  readonly kinds: OwningNodes
  /** What happened, in order: `taken room of node0` */
  readonly events: string[]
  add(): Promise<Node>
  ownersOf(key: string): string[]
}

/** Tests may share a database: each has keys of its own. */
let kindsMade = 0

/** Longer than a commit */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 50))

type Answer = (node: Node, key: string, question: Question) => unknown

const says: Answer = ({ server }, key, { content }) => `${server.node} ${key} ${content}`

export function ownersContract(name: string, open: OpenNodes): void {
  const scene = async (t: Test, count: number, answer: Answer = says): Promise<Scene> => {
    const kinds = await open(t)
    const kind = `rooms ${++kindsMade}`
    const nodes: Node[] = []
    const events: string[] = []
    const add = async (): Promise<Node> => {
      const server = await kinds.start()
      const has = new Map<string, number>()
      const note = (what: string, key: string) => events.push(`${what} ${key} of ${server.node}`)
      const owned = server.owners.of(kind, {
        async take(key, epoch) {
          await new Promise(setImmediate)
          note('taken', key)
          has.set(key, epoch)
        },
        answer: (key, question) => answer(node, key, question),
        async release(key) {
          await aMoment()
          note('released', key)
          has.delete(key)
        },
      })
      const node = { server, owned, has }
      nodes.push(node)
      await kinds.met(nodes.map((one) => one.server))
      return node
    }
    for (let i = 0; i < count; i++) await add()
    const ownersOf = (key: string) =>
      nodes.filter(({ has }) => has.has(key)).map(({ server }) => server.node)
    return { nodes, kinds, events, add, ownersOf }
  }

  const ownerOf = ({ nodes }: Scene, key: string): Node => nodes.find(({ has }) => has.has(key))!
  const without = ({ nodes }: Scene, node: Node): Node[] => nodes.filter((other) => other !== node)

  test(`${name}: one node owns everything itself, and writes once for a key`, async (t) => {
    const s = await scene(t, 1)
    const [node] = s.nodes as [Node]
    t.equal(await node.owned.call('hall', 1), `${node.server.node} hall 1`)
    let commits = 0
    const { journal } = node.server
    const commit = journal.commit.bind(journal)
    journal.commit = (entry) => {
      commits++
      return commit(entry)
    }
    t.equal(await node.owned.call('hall', 2), `${node.server.node} hall 2`)
    t.equal(commits, 0)
    t.strictSame(s.events, [`taken hall of ${node.server.node}`])
  })

  for (const count of [2, 3])
    test(`${name}: ${count} nodes that ask at once have one owner for each key`, async (t) => {
      const s = await scene(t, count)
      const keys = Array.from({ length: 12 }, (_, i) => `room ${i}`)
      const asked = s.nodes.flatMap(({ owned }) => keys.map((key) => owned.call(key, 'a')))
      const answers = await Promise.all(asked)
      for (const [at, key] of keys.entries()) {
        const [owner, ...more] = s.ownersOf(key)
        t.strictSame(more, [])
        const heard = s.nodes.map((_, node) => answers[node * keys.length + at])
        t.strictSame(new Set(heard), new Set([`${owner} ${key} a`]))
      }
      t.equal(s.events.length, keys.length)
      t.ok(
        s.nodes.every(({ has }) => has.size > 0),
        'each has some',
      )
    })

  test(`${name}: also where they do not agree who is to be asked`, async (t) => {
    const s = await scene(t, 2)
    const [a, b] = s.nodes as [Node, Node]
    const keys = Array.from({ length: 20 }, (_, i) => `room ${i}`)
    // Each asks itself.
    const question = { content: 1, from: 'x', number: '1' }
    const ask = ({ owned }: Node) => keys.map((key) => owned.tenures.answer(key, question))
    const [outcomes, others] = await Promise.all([Promise.all(ask(a)), Promise.all(ask(b))])
    for (const [at, key] of keys.entries()) {
      const [first, second] = [outcomes[at]!, others[at]!]
      t.not('answer' in first, 'answer' in second)
      t.equal(s.ownersOf(key).length, 1)
    }
  })

  test(`${name}: a node that joins leaves keys where they are`, async (t) => {
    const s = await scene(t, 1)
    const [first] = s.nodes as [Node]
    const keys = Array.from({ length: 8 }, (_, i) => `room ${i}`)
    for (const key of keys) await first.owned.call(key, 1)
    const second = await s.add()
    for (const key of keys)
      t.equal(await second.owned.call(key, 2), `${first.server.node} ${key} 2`)
    t.equal(second.has.size, 0)
  })

  test(`${name}: what a node owned that died goes on elsewhere, in a later tenure`, async (t) => {
    const s = await scene(t, 3)
    const keys = Array.from({ length: 9 }, (_, i) => `room ${i}`)
    for (const key of keys) await s.nodes[0]!.owned.call(key, 1)
    const dead = ownerOf(s, 'room 0')
    const left = without(s, dead)
    const before = new Map(dead.has)
    await s.kinds.kill(dead.server)
    const answers = await Promise.all(
      left.flatMap(({ owned }) => keys.map((key) => owned.call(key, 2))),
    )
    for (const [at, key] of keys.entries()) {
      const owners = s.ownersOf(key).filter((node) => node !== dead.server.node)
      t.equal(owners.length, 1)
      t.equal(answers[at], `${owners[0]} ${key} 2`)
      t.equal(answers[keys.length + at], answers[at])
      const epoch = ownerOf({ ...s, nodes: left }, key).has.get(key)!
      t.equal(epoch, (before.get(key) ?? 0) + 1)
    }
  })

  test(`${name}: a node that begins again owns what its earlier life had when it is asked`, async (t) => {
    const s = await scene(t, 1)
    const [first] = s.nodes as [Node]
    await first.owned.call('hall', 1)
    await s.kinds.kill(first.server)
    const again = await s.add()
    t.equal(await again.owned.call('hall', 2), `${again.server.node} hall 2`)
    t.equal(again.has.get('hall'), 2)
  })

  test(`${name}: who is fenced owns nothing, whatever it believes`, async (t) => {
    const s = await scene(t, 2)
    const [a, b] = s.nodes as [Node, Node]
    await a.owned.call('hall', 1)
    const owner = ownerOf(s, 'hall')
    const other = owner === a ? b : a
    await other.server.fencing.fence(owner.server.life)
    await owner.server.fenced
    t.equal(await other.owned.call('hall', 2), `${other.server.node} hall 2`)
    await t.rejects(owner.owned.call('hall', 3), { message: /^resource-constraint/ })
    t.equal(other.has.get('hall'), 2)
  })

  test(`${name}: who stops lets go first; others take it then, never before`, async (t) => {
    const s = await scene(t, 2)
    const keys = Array.from({ length: 10 }, (_, i) => `room ${i}`)
    for (const key of keys) await s.nodes[0]!.owned.call(key, 1)
    const [a, b] = s.nodes as [Node, Node]
    const his = [...a.has.keys()]
    t.ok(his.length > 0)
    const closing = a.owned.close()
    const answers = await Promise.all(his.map((key) => b.owned.call(key, 2)))
    await closing
    t.strictSame(
      answers,
      his.map((key) => `${b.server.node} ${key} 2`),
    )
    for (const key of his) {
      const about = s.events.filter((event) => event.includes(` ${key} of`))
      const [mine, theirs] = [a.server.node, b.server.node]
      t.strictSame(about, [
        `taken ${key} of ${mine}`,
        `released ${key} of ${mine}`,
        `taken ${key} of ${theirs}`,
      ])
    }
    t.equal(a.has.size, 0)
    await a.server.stop()
    t.equal(await b.owned.call(his[0]!, 3), `${b.server.node} ${his[0]} 3`)
  })

  test(`${name}: what was let go is claimed anew`, async (t) => {
    const s = await scene(t, 2)
    await s.nodes[0]!.owned.call('hall', 1)
    const owner = ownerOf(s, 'hall')
    await owner.owned.letGo('hall')
    t.strictSame(s.ownersOf('hall'), [])
    for (const { owned } of s.nodes) await owned.call('hall', 2)
    const [only, ...more] = s.ownersOf('hall')
    t.strictSame(more, [])
    t.equal(ownerOf(s, 'hall').has.get('hall'), 2)
    t.ok(only)
  })

  test(`${name}: what is being answered is finished before a key is let go`, async (t) => {
    let finish: () => void = () => {}
    const order: string[] = []
    const s = await scene(t, 1, async (_node, _key, { content }) => {
      if (content === 'slow') await new Promise<void>((resolve) => (finish = resolve))
      order.push(String(content))
    })
    const [{ owned }] = s.nodes as [Node]
    await owned.call('hall', 'first')
    const slow = owned.call('hall', 'slow')
    while (owned.tenures.size === 0 || order.length === 0) await new Promise(setImmediate)
    await new Promise(setImmediate)
    const gone = owned.letGo('hall').then(() => order.push('let go'))
    for (let i = 0; i < 4; i++) await aMoment()
    t.same(order, ['first'])
    const later = owned.call('hall', 'later')
    finish()
    await Promise.all([slow, gone, later])
    t.same(order, ['first', 'slow', 'let go', 'later'])
    t.equal(s.events.filter((event) => event.startsWith('taken')).length, 2)
  })

  test(`${name}: a refusal of the owner reaches who asked, here and there`, async (t) => {
    const s = await scene(t, 2, () => {
      throw new StanzaError('forbidden', 'not for you')
    })
    for (const { owned } of s.nodes)
      await t.rejects(owned.call('hall', 1), new StanzaError('forbidden', 'not for you'))
  })

  test(`${name}: a question that is asked again has its number`, async (t) => {
    const heard: [node: string, number: string][] = []
    let lose = true
    const s = await scene(t, 3, async ({ server }, _key, { content, number }) => {
      if (content !== 'this') return
      heard.push([server.node, number])
      if (lose) await new Promise(() => {})
    })
    for (const { owned } of s.nodes) await owned.call('hall', 'first')
    const owner = ownerOf(s, 'hall')
    const [asker] = without(s, owner) as [Node]
    const answered = asker.owned.call('hall', 'this')
    while (heard.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    lose = false
    await s.kinds.kill(owner.server)
    // Nobody can know before the answer is late.
    const clock = asker.server.clock as unknown as { advance(ms: number): void }
    clock.advance(10_000)
    await answered
    t.equal(heard.length, 2)
    t.equal(heard[0]![1], heard[1]![1])
    t.not(heard[0]![0], heard[1]![0])
  })
}
