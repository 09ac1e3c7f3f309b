// What those who run the server ask of this node and tell it: how it is, whether it agrees with the others
// about the configuration and with the database about the time, whether it should be sent clients, that it
// should give away those it has.

import type { Listeners } from './listeners.js'
import { type Skew, clockSkew, isTooFar } from './clock-skew.js'
import { Draining } from './draining.js'
import { differing, type Prints, printsOf } from './fingerprint.js'
import { healthRoutes } from './health.js'
import { agreed, type NodeState, type Phase, stateOf } from './node-state.js'
import type { Server } from './server.js'

const STATE = 'node state'
const DRAIN = 'drain'
const LOOK = 'look at the others'
/** Milliseconds between two looks at the others and the clock */
const EVERY = 30_000
const GREET = 2000
const PATIENCE = 2000

type Drain = { readonly spread: number } | { readonly undo: true }

export class Operation {
  readonly #server: Server
  #since = 0
  /** It has compared itself with the others. */
  #looked = false
  #draining: Draining | undefined
  #skew: Skew | undefined
  #drift: readonly string[] = []

  constructor(server: Server) {
    this.#server = server
  }

  get phase(): Phase {
    const { fencing, stopping } = this.#server
    if (fencing.over) return 'fenced'
    if (stopping) return 'stopping'
    return (this.#looked && this.#draining?.phase) || 'starting'
  }

  /** Whether it takes no clients, although it could. */
  get turnsAway(): boolean {
    return this.#draining !== undefined && this.#draining.phase !== 'running'
  }

  /** Why it should not be sent clients; '' is not among them. */
  get problems(): string[] {
    const problems: string[] = this.phase === 'running' ? [] : [this.phase]
    if (this.#drift.length > 0) problems.push('the configuration differs from the other nodes')
    if (this.#skew && isTooFar(this.#skew)) problems.push('the clock differs from the database')
    return problems
  }

  /** What works less well than it should */
  get degraded(): string[] {
    return this.#server.members.cutOff ? ['Redis is away'] : []
  }

  /** Keys of the configuration that differ from what most nodes have */
  get drift(): readonly string[] {
    return this.#drift
  }

  get #prints(): Prints {
    return printsOf(this.#server.settings)
  }

  state(): NodeState {
    const ahead = this.#skew ? Math.round(this.#skew.ahead) : null
    const { phase, problems } = this
    return stateOf(this.#server, {
      since: this.#since,
      phase,
      ahead,
      prints: this.#prints,
      problems,
    })
  }

  /** What differs is known before it counts as ready; a node that does not answer holds up nothing else. */
  prepare(): void {
    const { talk, clock, routes, schedule, changes } = this.#server
    this.#since = clock.now()
    talk.on(STATE, () => this.state())
    talk.on(LOOK, () => void this.#server.pending(this.look()))
    talk.on(DRAIN, (wanted) => this.#drain(wanted as Drain))
    for (const route of healthRoutes(this)) routes.add('server', route)
    schedule.add('operation', { name: 'agreement', every: EVERY, run: () => this.look() })
    schedule.add('operation', { name: 'greeting', every: GREET, run: () => changes.greet() })
    void this.look().then(() => {
      this.#looked = true
    })
  }

  open(doors: Pick<Listeners, 'pause' | 'resume'>): void {
    const { streams, clock } = this.#server
    this.#draining = new Draining({ streams, clock, doors })
  }

  /** The configuration was read again: so it may be with all the others. */
  async changed(): Promise<void> {
    this.#server.talk.tell(LOOK, null)
    await this.look()
  }

  async look(): Promise<void> {
    const { database, clock } = this.#server
    try {
      this.#judgeClock(await clockSkew(database, clock))
      this.#judgeConfiguration(await this.states())
    } catch (error) {
      if (!this.#server.stopping) this.#server.failed('agreement', error)
    }
  }

  #judgeClock(skew: Skew | undefined): void {
    const { log } = this.#server
    const before = this.#skew !== undefined && isTooFar(this.#skew)
    this.#skew = skew
    const now = skew !== undefined && isTooFar(skew)
    if (now) log.error('the clock differs from the database', { ms: Math.round(skew.ahead) })
    else if (before) log.info('the clock agrees with the database again')
  }

  #judgeConfiguration(states: readonly NodeState[]): void {
    const { log } = this.#server
    const before = this.#drift.join(' ')
    this.#drift = differing(this.#prints, agreed(states) ?? this.#prints)
    const now = this.#drift.join(' ')
    if (now === before) return
    if (now === '') log.info('the configuration agrees with the other nodes again')
    else
      log.error('the configuration differs from the other nodes', { keys: this.#drift.join(', ') })
  }

  /** Of all nodes that answer, this one included */
  async states(): Promise<NodeState[]> {
    const { members, talk } = this.#server
    const others = members.all().filter(({ node }) => node !== members.self.node)
    const asked = others.map(({ node }) => talk.ask(node, STATE, null, PATIENCE))
    const answers = await Promise.allSettled(asked)
    const states = answers.flatMap((answer) =>
      answer.status === 'fulfilled' ? [answer.value as NodeState] : [],
    )
    return [this.state(), ...states]
  }

  /** Gives the milliseconds that it will take. */
  async drain(node: string, wanted: Drain): Promise<number> {
    const { members, talk } = this.#server
    if (node === members.self.node) return this.#drain(wanted)
    return Number(await talk.ask(node, DRAIN, wanted))
  }

  async #drain(wanted: Drain): Promise<number> {
    const { log } = this.#server
    if ('undo' in wanted) {
      log.info('clients are taken again')
      await this.#draining?.undo()
      return 0
    }
    const ms = (await this.#draining?.begin(wanted.spread)) ?? 0
    log.info('clients are sent to other nodes', { streams: this.#server.streams.size, ms })
    return ms
  }
}
