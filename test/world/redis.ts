// A real Redis for tests: the system's redis-server on a unix socket in a folder of its own, which keeps
// nothing on disk. A shell watches over it, as over PostgreSQL: when the test process ends in whatever way,
// it stops Redis and removes the folder.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

const START_LIMIT_MS = 10_000

/** Why there is none for the tests of this machine */
export const noRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server is not installed (Debian: apt-get install redis-server)'

// $1 is the folder, the rest is the command. A word has it killed and started again, empty.
const WATCH = `
folder=$1; shift
start() { "$@" >>"$folder/log" 2>&1 & pid=$!; }
start "$@"
while read -r word; do
  case $word in
    kill) kill -KILL $pid; wait $pid ;;
    start) start "$@" ;;
    *) kill -$word $pid ;;
  esac
done
kill -CONT $pid; kill -KILL $pid; wait $pid
rm -rf "$folder"
`

export class TestRedis {
  readonly #folder: string
  readonly #shell: ChildProcess

  /** More of redis-server's parameters; the last one with a name counts. */
  static async start(more: readonly string[] = []): Promise<TestRedis> {
    const redis = new TestRedis(await mkdtemp(join(tmpdir(), 'redis-')), more)
    await redis.#ready()
    return redis
  }

  private constructor(folder: string, more: readonly string[]) {
    this.#folder = folder
    const own = ['--port', '0', '--unixsocket', this.url, '--save', '', '--dir', folder, ...more]
    this.#shell = spawn('/bin/sh', ['-c', WATCH, 'sh', folder, 'redis-server', ...own], {
      cwd: folder,
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    this.#shell.unref()
    ;(this.#shell.stdin as unknown as { unref(): void }).unref()
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
    this.#shell.stdin!.write(`${name}\n`)
  }

  kill(): void {
    this.#shell.stdin!.write('kill\n')
  }

  /** After it was killed: it has forgotten everything. */
  async again(): Promise<void> {
    this.#shell.stdin!.write('start\n')
    await this.#ready()
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#shell.once('exit', resolve))
    this.#shell.ref()
    this.#shell.stdin!.end()
    await ended
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
