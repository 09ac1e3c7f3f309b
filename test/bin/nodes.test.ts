// Several nodes as operators run them: the program twice, over a real Redis and a real PostgreSQL, with
// clients that are not ours.

import pg from 'pg'
import { test } from 'tap'
import { freshPostgres } from '../world/postgres.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { device, people, says } from './devices.js'
import { place, quietConfig } from './program.js'

if (noRedis) {
  test('several nodes', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const config = async (database: string) =>
    quietConfig(`database: '${database}'\nredis: ${redis.url}\nlimits: off\n`)

  test('two nodes: who is on one talks with who is on the other', async (t) => {
    const database = await freshPostgres()
    const [one, two] = [await config(database), await config(database)]
    const [first, second] = [place(t, one.yaml), place(t, two.yaml)]
    const [here, there] = [await first.start(['start']), await second.start(['start'])]
    const name = /node +(\S+)$/m
    const [own, other] = [here, there].map((started) => name.exec(started.text())?.[1])
    t.ok(own)
    t.not(own, other)
    await people(first)
    t.match((await second.run(['user', 'list'])).out, /romeo@localhost[\s\S]*juliet@localhost/)
    const romeo = await device(t, one.ports[2]!, 'romeo')
    const juliet = await device(t, two.ports[2]!, 'juliet')
    await says(romeo, 'juliet@localhost', 'But soft!')
    t.same(await juliet.hears(1), ['But soft!'])
    await says(juliet, 'romeo@localhost', 'Ay me!')
    t.same(await romeo.hears(1), ['Ay me!'])

    await romeo.xmpp.stop()
    here.process.kill('SIGTERM')
    t.equal((await here.ended).code, 0)
    t.equal(name.exec((await first.start(['start'])).text())?.[1], own, 'it keeps its name')
  })

  test('a node that was declared dead begins again in its process', async (t) => {
    const database = await freshPostgres()
    const { yaml, ports } = await config(database)
    const node = place(t, yaml)
    const started = await node.start(['start'])
    await people(node)
    const operator = new pg.Client(database)
    await operator.connect()
    t.teardown(() => operator.end())
    const before = await device(t, ports[2]!, 'juliet')
    await operator.query('update commits set alive = 0')
    // It notices with the next message that it writes.
    await says(before, 'romeo@localhost', 'lost, and not acknowledged')
    await started.logs(/this node is there again/)
    await before.xmpp.stop()
    t.match(await node.run(['status']), { code: 0 })
    const [romeo, juliet] = [
      await device(t, ports[2]!, 'romeo'),
      await device(t, ports[2]!, 'juliet'),
    ]
    await says(romeo, 'juliet@localhost', 'But soft!')
    t.same(await juliet.hears(1), ['But soft!'])
    started.process.kill('SIGTERM')
    t.equal((await started.ended).code, 0)
  })

  test('stopped', async () => {
    await redis.stop()
  })
}
