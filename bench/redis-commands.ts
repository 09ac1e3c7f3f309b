// What Redis was asked to do, as it counts itself (INFO commandstats): commands that clients sent, and those
// that scripts called inside. Heartbeats are told apart by their names: nothing else uses these.
import { Redis } from 'ioredis'

export type Counts = {
  /** How often each command came. */
  calls: ReadonlyMap<string, number>
  /** From all clients */
  bytes: number
}

/** Each node says every few seconds that it is there (lib/cluster/membership.ts), and asks whether Redis is. */
const HEARTBEAT = ['ping', 'xadd', 'xrange']
/** What we ask ourselves */
const OWN = ['info', 'hello', 'client', 'client|setinfo']

export class RedisCommands {
  private readonly redis: Redis

  static async open(address: string): Promise<RedisCommands> {
    const redis = new Redis(address, { lazyConnect: true, retryStrategy: () => null })
    redis.on('error', () => {})
    await redis.connect()
    return new RedisCommands(redis)
  }

  private constructor(redis: Redis) {
    this.redis = redis
  }

  async counts(): Promise<Counts> {
    const text = await this.redis.info('everything')
    const lines = text.matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)
    return {
      calls: new Map([...lines].map(([, name, calls]) => [name!, Number(calls)])),
      bytes: Number(/^total_net_input_bytes:(\d+)/m.exec(text)?.[1] ?? 0),
    }
  }

  close(): void {
    this.redis.disconnect()
  }
}

/** For one of so many units of work: all, all but heartbeats, and each command that came. */
export function commandFigures(before: Counts, after: Counts, units: number) {
  const made = [...after.calls].flatMap(([name, calls]) => {
    const more = calls - (before.calls.get(name) ?? 0)
    return more > 0 && !OWN.includes(name) ? [[name, more / Math.max(1, units)] as const] : []
  })
  const sum = (some: typeof made) => some.reduce((total, [, calls]) => total + calls, 0)
  const beats = made.filter(([name]) => HEARTBEAT.includes(name))
  const figures: Record<string, number> = { redis: sum(made), redisWithout: sum(made) - sum(beats) }
  figures.redisBytes = (after.bytes - before.bytes) / Math.max(1, units)
  for (const [name, calls] of made) figures[`redis ${name}`] = calls
  return figures
}

/** Every command with how often it came, the most frequent first. */
export function commandsIn(figures: Readonly<Record<string, number>>): string {
  const each = Object.entries(figures).flatMap(([key, value]) =>
    key.startsWith('redis ') ? [{ name: key.slice('redis '.length), value }] : [],
  )
  each.sort((one, other) => other.value - one.value)
  return each.map(({ name, value }) => `${name} ${value.toFixed(3)}`).join(', ')
}
