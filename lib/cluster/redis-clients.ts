// The two clients of a link: one for commands, one that listens. Behind sentinels both follow the master.
// In a cluster of Redis the one that listens is connected to the server that has the channel, which a
// server that has not names; a server that cannot be reached is left for the next one that is known.

import { Cluster, Redis } from 'ioredis'
import { type RedisAddress, type RedisPlace, readRedisAddress } from '../ops/redis-address.js'

/** Milliseconds */
const ANSWER = 2000
export const CONNECT = 3000
const SOONEST = 50
const LATEST = 1000
const WATCH = 3000

const again = (times: number): number => Math.min(SOONEST * 2 ** Math.min(times, 10), LATEST)

const options = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  // Who listens again has missed something: that is for the bus to know.
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: ANSWER,
  connectTimeout: CONNECT,
  disconnectTimeout: ANSWER,
  retryStrategy: again,
  // A master that became a replica keeps its connections for a moment.
  reconnectOnError: (error: Error): boolean => error.message.startsWith('READONLY'),
}

export interface RedisClients {
  /** Of a cluster it has the same commands; keys of one command or pipeline belong to one slot. */
  readonly commands: Redis
  readonly listener: Redis
  /** All channels are in one place, and what is told by several keeps its order. */
  readonly whole: boolean
}

/** `answered`: when the last command that was answered was sent, as `performance.now()` has it. */
export function redisClients(url: string, answered: () => number): RedisClients {
  const address = readRedisAddress(url)
  if (address.kind === 'cluster') return ofCluster(address)
  const where = address.kind === 'sentinel' ? sentinels(address) : single(address)
  const all = { ...options, ...access(address), ...where }
  const clients = { commands: new Redis(all), listener: new Redis(all), whole: true }
  watched(clients.commands, { answered })
  return clients
}

interface Watch {
  /** What it had to say up to then has come. */
  heard?(at: number): void
  answered?(): number
}

/**
 * What does not answer is away, though its connection stands: it hangs, or packets are lost without a word.
 * Sentinels are asked again for a master that answers. Where something else was answered nothing is asked.
 */
export function watched(redis: Redis, { heard = () => {}, answered = () => 0 }: Watch): void {
  let timer: NodeJS.Timeout
  const wait = (ms: number): void => {
    timer = setTimeout(look, ms).unref()
  }
  const look = (): void => {
    const at = performance.now()
    const asked = answered()
    if (at - asked < WATCH) {
      wait(WATCH - (at - asked))
      return
    }
    wait(WATCH)
    if (redis.status !== 'ready') return
    redis.ping().then(
      () => heard(at),
      () => redis.disconnect(true),
    )
  }
  wait(WATCH)
  redis.on('end', () => clearTimeout(timer))
}

function access({ username, password, tls, db }: RedisAddress) {
  return {
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  }
}

function single({ path, places: [place] }: RedisAddress) {
  return path === undefined ? { ...place } : { path }
}

function sentinels({ places, name, tls, sentinelPassword }: RedisAddress) {
  return {
    sentinels: [...places],
    name: name!,
    role: 'master' as const,
    sentinelRetryStrategy: again,
    sentinelCommandTimeout: ANSWER,
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
  }
}

function ofCluster(address: RedisAddress): RedisClients {
  const redisOptions = { ...options, ...access(address) }
  const cluster = new Cluster([...address.places], {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: again,
    // What may have been done already is not sent again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: ANSWER,
    redisOptions,
    // Certificates are for names.
    ...(address.tls && { dnsLookup: (name, done) => done(null, name) }),
  })
  const known = (): RedisPlace[] => [...placesOf(cluster), ...address.places]
  const listener = listenerOf(redisOptions, known)
  return { commands: cluster as unknown as Redis, listener, whole: false }
}

function placesOf(cluster: Cluster): RedisPlace[] {
  return cluster
    .nodes('master')
    .map(({ options: { host, port } }) => ({ host: host!, port: port! }))
}

function listenerOf(redisOptions: typeof options, known: () => RedisPlace[]): Redis {
  let at = 0
  const listener: Redis = new Redis({
    ...redisOptions,
    ...known()[0]!,
    retryStrategy(times: number) {
      const places = known()
      if (times > 1) Object.assign(listener.options, places[at++ % places.length])
      return again(times)
    },
  })
  // Its channel has gone to another server.
  listener.on('moved', () => listener.disconnect(true))
  return listener
}

/** A server of the cluster named the one that has the channel: the next connection goes there. */
export function followed(listener: Redis, error: Error): boolean {
  const match = /^MOVED \d+ (.*):(\d+)$/.exec(error.message)
  if (!match) return false
  const [, host, port] = match
  // Without a host it is another port of the same one.
  Object.assign(listener.options, { ...(host && { host }), port: Number(port) })
  return true
}
