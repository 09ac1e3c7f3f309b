// What the nodes of a run stand on: a PostgreSQL and a Redis of its own, and links that can be cut.

import { freePorts } from '../bin/program.js'
import { Postgres } from '../world/postgres.js'
import { TestRedis } from '../world/redis.js'
import { Island } from './island.js'
import { RedisPair } from './redis-pair.js'
import type { Task } from './task.js'

export interface Grounds {
  readonly postgres: Postgres | undefined
  /** The address of the database */
  readonly database: string | undefined
  readonly redis: TestRedis | undefined
  /** Where one takes the place of the other */
  readonly redisPair: RedisPair | undefined
  readonly redisAddress: string | undefined
  readonly islands: readonly Island[]
}

export async function prepareGrounds(
  { store, nodes, what }: Task,
  folder: string,
): Promise<Grounds> {
  const [port, redisPort] = (await freePorts(2)) as [number, number]
  const islands = what.startsWith('partition') ? Island.several(nodes, redisPort) : []
  const postgres = store === 'postgres' ? await startPostgres(folder, port) : undefined
  const socket = await postgres?.database()
  const redisPair = what === 'redis-failover' ? await RedisPair.start(folder) : undefined
  const redis = nodes > 1 && !redisPair ? await startRedis(redisPort, islands) : undefined
  return {
    postgres,
    // On an island loopback is another one.
    database:
      socket && (!what.startsWith('partition') || what === 'partition-postgres')
        ? overLoopback(socket, port)
        : socket,
    redis,
    redisPair,
    redisAddress: redisPair?.url ?? (redis && `redis://127.0.0.1:${redisPort}`),
    islands,
  }
}

export async function leaveGrounds(grounds: Grounds): Promise<void> {
  const { postgres, redis, redisPair, islands } = grounds
  await redis?.stop()
  await redisPair?.stop()
  await postgres?.stop()
  for (const island of islands) island.remove()
}

/** As an operator has it: on disk before it answers; over TCP, for those who know nothing else. */
function startPostgres(parent: string, port: number): Promise<Postgres> {
  const settings = { listen_addresses: '127.0.0.1', fsync: 'on', full_page_writes: 'on' }
  return Postgres.start({ parent, settings: { ...settings, port: String(port) } })
}

function overLoopback(address: string, port: number): string {
  const { username, pathname } = new URL(address)
  return `postgres://${username}@127.0.0.1:${port}${pathname}`
}

/** Only this machine has these addresses. */
function startRedis(port: number, islands: readonly Island[]): Promise<TestRedis> {
  const hosts = ['127.0.0.1', ...islands.map(({ redisHost }) => redisHost)].join(' ')
  const open = ['--bind', hosts, '--protected-mode', 'no', '--enable-debug-command', 'yes']
  return TestRedis.start(['--port', `${port}`, ...open])
}
