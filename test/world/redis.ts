// A real Redis for tests: the system's redis-server on a unix socket in a folder of its own, which keeps
// nothing on disk. When the test process ends, Redis ends, and its folder goes (watched.ts).

import { spawnSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Watched } from './watched.js'

const START_LIMIT_MS = 10_000

/** Why there is none for the tests of this machine */
export const noRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (Debian: apt-get install redis-server)'

export class TestRedis {
  readonly #folder: string
  readonly #program: Watched

  /** More of redis-server's parameters; the last one with a name counts. */
  static async start(more: readonly string[] = []): Promise<TestRedis> {
    const redis = new TestRedis(await mkdtemp(join(tmpdir(), 'redis-')), more)
    await redis.#ready()
    return redis
  }

  private constructor(folder: string, more: readonly string[]) {
    this.#folder = folder
    const own = ['--port', '0', '--unixsocket', this.url, '--save', '', '--dir', folder, ...more]
    const command = ['redis-server', ...own]
    this.#program = new Watched({ folder, command, ending: 'KILL' })
  }

  get url(): string {
    return join(this.#folder, 'socket')
  }

  /** As an operator would with redis-cli. */
  async ask(command: string, ...args: string[]): Promise<unknown> {
    const client = new Redis(this.url, { lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => {})
    try {
      await client.connect()
      return await client.call(command, ...args)
    } finally {
      client.disconnect()
    }
  }

  /** STOP: it hangs, and its connections stand; CONT: it goes on. */
  signal(name: 'STOP' | 'CONT'): void {
    this.#program.signal(name)
  }

  kill(): void {
    this.#program.signal('KILL')
  }

  /** After it was killed: it has forgotten everything. */
  async again(): Promise<void> {
    this.#program.again()
    await this.#ready()
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  async #ready(): Promise<void> {
    for (const limit = Date.now() + START_LIMIT_MS; ; ) {
      try {
        await this.ask('ping')
        return
      } catch (error) {
        if (Date.now() > limit)
          throw new Error('Redis for the tests did not start', { cause: error })
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  }
}
