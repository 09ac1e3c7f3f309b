// Operating nodes as people do: `tercet cluster`, /healthz and /readyz, over a real Redis and PostgreSQL.

import { test } from 'tap'
import { freshPostgres } from '../world/postgres.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { place, quietConfig } from './program.js'

interface Answer {
  readonly status: number
  readonly reasons: readonly string[]
}

async function asks(port: number, path: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  const { reasons } = (await response.json()) as Answer
  return { status: response.status, reasons }
}

/** It has compared itself with the others. */
async function looked(port: number): Promise<void> {
  while ((await asks(port, '/readyz')).reasons.includes('starting'))
    await new Promise((resolve) => setTimeout(resolve, 20))
}

if (noRedis) {
  test('tercet cluster', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const config = async (database: string, more = '') =>
    quietConfig(`database: '${database}'\nredis: ${redis.url}\nlimits: off\n${more}`)

  test('two nodes: their status; one that differs; one is drained and stopped', async (t) => {
    const database = await freshPostgres()
    const [one, two] = [
      await config(database),
      await config(database, 'modules: { search: false }\n'),
    ]
    const [first, second] = [place(t, one.yaml), place(t, two.yaml)]
    const here = await first.start(['start'])
    const there = await second.start(['start'])
    const [a, b] = [one.ports[2]!, two.ports[2]!]
    t.match(await asks(a, '/healthz'), { status: 200, reasons: [] })
    for (const port of [a, b]) await looked(port)
    t.match(await asks(a, '/readyz'), { status: 200, reasons: [] })
    t.match(await asks(b, '/readyz'), { status: 503, reasons: [/configuration differs/] })
    t.match(there.log(), /configuration differs.*hosts\.localhost\.modules\.search/)
    const rows = JSON.parse((await first.run(['cluster', 'status', '--json'])).out)
    t.equal(rows.length, 2)
    t.equal(rows.filter(({ problems }: { problems: [] }) => problems.length > 0).length, 1)
    t.ok(rows.every(({ clock_ms }: { clock_ms: number }) => Math.abs(clock_ms) < 1000))
    t.match((await second.run(['cluster', 'status'])).out, /node +life.*\n.*running.*\n.*running/)

    const drained = await first.run(['cluster', 'drain'])
    t.match(drained, { code: 0, out: /is drained: it can be stopped/ })
    t.match(await asks(a, '/readyz'), { status: 503, reasons: ['drained'] })
    await t.rejects(fetch(`http://127.0.0.1:${one.ports[0]}`), 'nobody comes in')
    t.match(await second.run(['cluster', 'drain']), { code: 1, err: /no other node/ })
    t.match(await first.run(['cluster', 'drain', '--within', 'soon']), { code: 2 })
    t.match(await first.run(['cluster', 'drain', '--undo']), {
      code: 0,
      out: /takes clients again/,
    })
    t.equal((await asks(a, '/readyz')).status, 200)
    here.process.kill('SIGTERM')
    t.equal((await here.ended).code, 0)
    there.process.kill('SIGTERM')
    await there.ended
  })

  test('stopped', () => redis.stop())
}
