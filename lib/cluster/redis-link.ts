// This node's connections to Redis: one for commands, one that listens. Redis may be away at any time, and
// nothing waits for it: what cannot be sent now fails now, and nothing is sent twice. Its absence is told at
// its beginning and its end.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ChainableCommander as Pipeline, Redis } from 'ioredis'
import type { Log } from '../ops/log.js'
import { CONNECT, followed, redisClients, watched } from './redis-clients.js'

export class RedisLink {
  readonly commands: Redis
  readonly listener: Redis
  /** No cluster of Redis: what is told by several channels keeps its order. */
  readonly whole: boolean
  readonly #log: Log
  #away = false
  #closed = false
  #heard = performance.now()
  /** When the last command that was answered was sent */
  #answered = 0

  /** Whether Redis is there or not. */
  static async open(url: string, log: Log): Promise<RedisLink> {
    const link = new RedisLink(url, log)
    const tried = Promise.allSettled([link.commands.connect(), link.listener.connect()])
    // Behind sentinels that are away the first attempt does not end.
    const enough = new AbortController()
    await Promise.race([tried, sleep(CONNECT, undefined, enough)])
    enough.abort()
    return link
  }

  private constructor(url: string, log: Log) {
    this.#log = log
    const { commands, listener, whole } = redisClients(url, () => this.#answered)
    this.whole = whole
    this.commands = commands
    this.listener = listener
    watched(listener, {
      heard: (at) => {
        this.#heard = at
      },
    })
    for (const redis of [this.commands, this.listener]) {
      redis.on('error', (error) => this.#lost(error))
      redis.on('close', () => this.#lost(new Error('the connection has ended')))
      redis.on('ready', () => this.#found())
    }
  }

  /** For so many milliseconds it is not certain that everything has come that it was told. */
  get silence(): number {
    return performance.now() - this.#heard
  }

  get up(): boolean {
    return this.commands.status === 'ready' && this.listener.status === 'ready'
  }

  /** Now, where that can be, and again each time when the listener is there again; `heard` then runs. */
  async listen(
    channels: readonly string[],
    { deaf, heard }: { deaf(): void; heard(): void },
  ): Promise<void> {
    const subscribe = async (): Promise<void> => {
      try {
        await this.listener.ssubscribe(...channels)
        heard()
      } catch (error) {
        if (!followed(this.listener, error as Error)) this.#lost(error as Error)
        // Deaf but connected: nothing else would have it try again.
        if (this.listener.status === 'ready') this.listener.disconnect(true)
      }
    }
    this.listener.on('close', deaf)
    this.listener.on('ready', () => void subscribe())
    if (this.listener.status === 'ready') await subscribe()
  }

  /** Each time when commands are taken again */
  whenUp(run: () => void): void {
    this.commands.on('ready', run)
  }

  /** Rejects where Redis does not answer. */
  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const asked = performance.now()
    const answer = await question(this.commands)
    this.#answered = asked
    return answer
  }

  /** Undefined where Redis does not answer: whoever asks does without. */
  async attempt<T>(question: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    if (this.commands.status !== 'ready') return undefined
    try {
      const answer = await this.ask(question)
      this.#found()
      return answer
    } catch (error) {
      this.#lost(error as Error)
      return undefined
    }
  }

  close(): void {
    this.#closed = true
    this.commands.disconnect()
    this.listener.disconnect()
  }

  #lost(error: Error): void {
    if (this.#closed || this.#away) return
    this.#away = true
    this.#log.error('Redis is away', { error: error.message })
  }

  #found(): void {
    if (!this.#away || !this.up) return
    this.#away = false
    this.#log.info('Redis is there again')
  }
}

/** Of a pipeline; rejects where one of its commands failed. */
export async function answersOf(pipeline: Pipeline): Promise<readonly unknown[]> {
  return ((await pipeline.exec()) ?? []).map(([error, answer]) => {
    if (error) throw error
    return answer
  })
}
