// Workers as operators run them: several processes on the same ports, over a real Redis and a real
// PostgreSQL, with clients that are not ours.

import { execFileSync } from 'node:child_process'
import { test } from 'tap'
import { freshPostgres } from '../world/postgres.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { device, people, says } from './devices.js'
import { freePorts, place, quietConfig } from './program.js'

if (noRedis) {
  test('workers', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const config = async (database: string) =>
    quietConfig(`database: '${database}'\nredis: ${redis.url}\nlimits: off\nworkers: 2\n`)

  test('workers share the ports; one that is killed comes back, and the others go on', async (t) => {
    const { yaml, ports } = await config(await freshPostgres())
    const node = place(t, yaml)
    const started = await node.start(['start'])
    t.match(started.text(), /node +\S+-1 to -2/)
    await people(node)
    const romeo = await device(t, ports[2]!, 'romeo')
    const juliet = await device(t, ports[2]!, 'juliet')
    await says(romeo, 'juliet@localhost', 'But soft!')
    t.same(await juliet.hears(1), ['But soft!'])
    t.match(await node.run(['reload']), { code: 0, out: 'nothing changed\n' })
    t.match(JSON.parse((await node.run(['status', '--json'])).out), {
      pid: started.process.pid,
      hosts: [{ domain: 'localhost', sessions: 2 }],
    })
    const workers = children(started.process.pid!)
    t.equal(workers.length, 2)
    process.kill(workers[0]!, 'SIGKILL')
    await started.logs(/a worker is there again/)
    t.equal(children(started.process.pid!).length, 2)
    t.match(await node.run(['user', 'list']), { code: 0, out: /romeo/ })
    // As from a terminal: everybody gets it.
    for (const pid of children(started.process.pid!)) process.kill(pid, 'SIGTERM')
    started.process.kill('SIGTERM')
    t.equal((await started.ended).code, 0)
  })

  test('workers whose port is taken, or whose database is away, tell it and do not begin', async (t) => {
    const { yaml, ports } = await config(await freshPostgres())
    await place(t, yaml).start(['start'])
    const other = place(t, yaml)
    const { code, err } = await other.run(['start'])
    t.equal(code, 4)
    t.match(err, new RegExp(`port (${ports.join('|')}): `))
    const [nobody] = await freePorts(1)
    const away = `postgres://romeo@127.0.0.1:${nobody}/tercet`
    const quiet = await config(away)
    t.match(await place(t, quiet.yaml).run(['start']), { code: 1, err: /^the database .*$/m })
  })

  test('workers end when nobody watches over them any more', async (t) => {
    const { yaml } = await config(await freshPostgres())
    const node = place(t, yaml)
    const started = await node.start(['start'])
    started.process.kill('SIGKILL')
    // They have its output too: that ends with the last of them.
    await started.ended
    t.match(started.log(), /nobody watches over it: stopping/)
    await node.start(['start'])
    t.match(await node.run(['status']), { code: 0 })
  })

  test('stopped', async () => {
    await redis.stop()
  })
}

function children(pid: number): number[] {
  const list = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return list.trim().split(/\s+/).map(Number)
}
