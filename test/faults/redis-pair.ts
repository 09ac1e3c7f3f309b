// Two Redis, one the replica of the other, and a sentinel that promotes it. What the master had not yet
// passed on is lost with it; one that was only stopped comes back and takes itself for the master for a while.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePorts } from '../bin/program.js'
import { TestRedis } from '../world/redis.js'
import type { Remarks } from './kill.js'
import type { Stage } from './stage.js'
import { troubles } from './trouble.js'

const NAME = 'tercet'
const DOWN_MS = 1000
const AWAY_MS = 15_000
const AGREED_LIMIT_MS = 60_000
const LOOK_MS = 100

const sentinels = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of sentinels) child.kill('SIGKILL')
})

export class RedisPair {
  readonly url: string
  readonly #both: readonly [TestRedis, TestRedis]
  readonly #sentinel: ChildProcess

  static async start(folder: string): Promise<RedisPair> {
    const [one, two, port] = (await freePorts(3)) as [number, number, number]
    const first = await TestRedis.start(['--port', String(one)])
    const following = ['--replicaof', '127.0.0.1', String(one)]
    const second = await TestRedis.start(['--port', String(two), ...following])
    const file = join(folder, 'sentinel.conf')
    const watched = `sentinel monitor ${NAME} 127.0.0.1 ${one} 1`
    const patience = [`down-after-milliseconds ${NAME} ${DOWN_MS}`, `failover-timeout ${NAME} 6000`]
    const lines = [`port ${port}`, watched, ...patience.map((line) => `sentinel ${line}`)]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const sentinel = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
    sentinels.add(sentinel)
    const pair = new RedisPair([first, second], sentinel, port)
    await pair.agreed()
    return pair
  }

  private constructor(both: [TestRedis, TestRedis], sentinel: ChildProcess, port: number) {
    this.#both = both
    this.#sentinel = sentinel
    this.url = `redis-sentinel://127.0.0.1:${port}/${NAME}`
  }

  /** The one that leads, when the other follows it */
  async agreed(): Promise<TestRedis> {
    const limit = performance.now() + AGREED_LIMIT_MS
    while (performance.now() < limit) {
      for (const redis of this.#both) if (await hasReplica(redis)) return redis
      await pause(LOOK_MS)
    }
    throw new Error('neither Redis follows the other')
  }

  other(redis: TestRedis): TestRedis {
    return this.#both[0] === redis ? this.#both[1] : this.#both[0]
  }

  async stop(): Promise<void> {
    sentinels.delete(this.#sentinel)
    this.#sentinel.kill('SIGKILL')
    await Promise.all(this.#both.map((redis) => redis.stop()))
  }
}

const says = async (redis: TestRedis): Promise<string> =>
  String(await redis.ask('info', 'replication').catch(() => ''))

const hasReplica = async (redis: TestRedis): Promise<boolean> =>
  /role:master.*state=online/s.test(await says(redis))

/** In turn: the master is killed, and later started again; it hangs, and goes on. */
export async function redisFailovers(stage: Stage): Promise<Remarks> {
  const pair = stage.grounds.redisPair!
  const remarks = { neverPromoted: 0 }
  await troubles(stage, async (_, time) => {
    const struck = await pair.agreed()
    const hangs = time % 2 === 1
    return {
      ms: AWAY_MS,
      begin: () => (hangs ? struck.signal('STOP') : struck.kill()),
      end: async () => {
        if (!/role:master/.test(await says(pair.other(struck)))) remarks.neverPromoted++
        if (hangs) struck.signal('CONT')
        else await struck.again()
      },
    }
  })
  return remarks
}
