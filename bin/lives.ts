// The servers of this process, one after the other: usually one. Where the other nodes took this one for
// dead, what it was ends without a word and a new one begins, with the settings in force.

import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlRequest } from '../lib/core/control.js'
import { controlVerbs, notReady } from '../lib/core/control-verbs.js'
import { Server } from '../lib/core/server.js'
import type { ServerSettings } from '../lib/core/settings.js'
import type { Log } from '../lib/ops/log.js'
import { exitCodes } from './exit-codes.js'
import type { Run } from './serving.js'

/** Milliseconds that a server may take to end that may do nothing any more */
const LONGEST_END = 10_000
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30_000

export interface LifeOptions {
  readonly settings: ServerSettings
  /** Among the others; undefined where there are none */
  readonly node: string | undefined
  readonly log: Log
}

export class Lives implements Run {
  readonly #options: LifeOptions
  #server: Server
  #between = false
  /** What came between two of them */
  #next: ServerSettings | undefined

  static async begin(options: LifeOptions): Promise<Lives> {
    return new Lives(options, await begin(options, options.settings))
  }

  private constructor(options: LifeOptions, server: Server) {
    this.#options = options
    this.#server = server
  }

  get server(): Server {
    return this.#server
  }

  /** All but to read the configuration again: that is done elsewhere, and comes by `reload`. */
  async ask(request: ControlRequest): Promise<unknown> {
    if (this.#between) return notReady()
    return controlVerbs(this.#server, { reload: async () => [] })(request)
  }

  /** Says what changed. */
  async reload(settings: ServerSettings): Promise<readonly string[]> {
    const { log } = this.#options
    if (this.#between) {
      this.#next = settings
      log.info('reload: this node begins again, with these settings')
      return []
    }
    const changes = await this.#server.reload(settings)
    log.info(changes.length === 0 ? 'reload: nothing changed' : 'reload: done')
    for (const change of changes) log.info(change)
    return changes
  }

  /** Until somebody wants it to end: what that says is logged. */
  async until(wanted: Promise<string>): Promise<void> {
    const { log } = this.#options
    for (;;) {
      const why = await Promise.race([wanted, this.#server.fenced])
      if (why !== undefined) {
        log.info(`${why}: stopping`)
        return this.#server.stop()
      }
      log.warn('what this node was is over: it begins again')
      this.#between = true
      await this.#endAtOnce()
      if (!(await this.#again(wanted))) return
      log.warn('this node is there again, as a new one')
    }
  }

  /** Nothing is left to be done: the process ends. */
  kill(): void {}

  async #endAtOnce(): Promise<void> {
    const { log } = this.#options
    const stopped = this.#server.stop().then(
      () => true,
      (error: unknown) => log.error('a bug in the end of a server', { error }),
    )
    if (await Promise.race([stopped, sleep(LONGEST_END, false, { ref: false })])) return
    // Its ports may be open still: only the end of the process frees them for certain.
    log.error('what was taken for dead does not end: the process ends')
    process.exit(exitCodes.failed)
  }

  /** False where it is wanted to end meanwhile. */
  async #again(wanted: Promise<string>): Promise<boolean> {
    const { log } = this.#options
    const ended = wanted.then(() => true)
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        await this.#beginNext()
        return true
      } catch (error) {
        log.error('this node cannot begin again yet', { error })
      }
      if (await Promise.race([ended, sleep(pause, false)])) return false
    }
  }

  /** It is shown once it has the settings that came meanwhile. */
  async #beginNext(): Promise<void> {
    let given = this.#next
    const hosts = given?.hosts ?? this.#server.settings.hosts
    const server = await begin(this.#options, { ...this.#server.settings, hosts })
    while (this.#next && this.#next !== given) {
      given = this.#next
      await this.#changed(server, given)
    }
    this.#server = server
    this.#between = false
    this.#next = undefined
  }

  async #changed(server: Server, settings: ServerSettings): Promise<void> {
    try {
      await server.reload(settings)
    } catch (error) {
      this.#options.log.error('the reload failed', { error })
    }
  }
}

/** What speaks with Redis is loaded only by whom it serves: it would be a tenth of a start. */
async function begin({ node, log }: LifeOptions, settings: ServerSettings): Promise<Server> {
  const redis = settings.redis ?? ''
  const given = { settings, log, ...(node !== undefined && { node }) }
  if (redis === '') return Server.start(given)
  const { RedisCluster } = await import('../lib/cluster/redis-cluster.js')
  return Server.start({ ...given, cluster: new RedisCluster(redis) })
}
