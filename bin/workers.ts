// Watches over the workers of this machine, each a node and a process of its own: the first begins alone
// (it makes what all share), the others together. One that ends is started again, later each time where
// it keeps ending soon. Requests go to the first that is ready, what concerns all to all.

import type { ControlAnswer, ControlRefusal, ControlRequest } from '../lib/core/control.js'
import { notReady, type ServerStatus } from '../lib/core/control-verbs.js'
import type { ServerSettings } from '../lib/core/settings.js'
import type { Clock, Timer } from '../lib/ops/clock.js'
import type { Log } from '../lib/ops/log.js'
import { ConfigError, StanzaError, isStanzaCondition } from '../lib/xmpp/errors.js'
import type { FromWorker, ToWorker } from './worker-messages.js'

/** Milliseconds */
const SOON = 10_000
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 60_000
/** For an answer that all wait for */
const PATIENCE = 30_000

/** A process, as much of it as is wanted here */
export interface WorkerProcess {
  readonly pid: number | undefined
  send(message: ToWorker): void
  kill(): void
}

export interface WorkerEvents {
  message(message: FromWorker): void
  ended(code: number | null, signal: string | null): void
}

export interface WorkersOptions {
  settings: ServerSettings
  /** Name of this machine's nodes: each adds its number. */
  readonly node: string
  readonly file: string | undefined
  readonly clock: Clock
  readonly log: Log
  launch(events: WorkerEvents): WorkerProcess
}

/** One ended before it was ready for the first time, with this exit code. */
export class WorkerFailed extends Error {
  override name = 'WorkerFailed'
  readonly code: number

  constructor(code: number) {
    super('a worker could not begin')
    this.code = code
  }
}

interface Slot {
  readonly node: string
  process: WorkerProcess | undefined
  ready: boolean
  /** With what it began, or was told since */
  given: ServerSettings | undefined
  /** Times in a row that it ended soon */
  falls: number
  timer: Timer | undefined
  begun: { done(): void; failed(error: Error): void } | undefined
  readonly asked: Map<number, (answer: ControlAnswer) => void>
}

const isGone: ControlAnswer = {
  error: { condition: 'recipient-unavailable', text: 'the worker that was asked has ended' },
}
const isLate: ControlAnswer = {
  error: { condition: 'remote-server-timeout', text: 'the worker that was asked does not answer' },
}

export class Workers {
  readonly #options: WorkersOptions
  readonly #slots: Slot[]
  #number = 0
  #stopping = false
  #clean = true
  #empty: () => void = () => {}

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#slots = Array.from({ length: options.settings.workers ?? 1 }, (_, at) => ({
      node: `${options.node}-${at + 1}`,
      process: undefined,
      ready: false,
      given: undefined,
      falls: 0,
      timer: undefined,
      begun: undefined,
      asked: new Map(),
    }))
  }

  /** Resolves when all are ready; throws WorkerFailed. */
  async begin(): Promise<void> {
    const [first, ...others] = this.#slots
    await this.#begin(first!)
    await Promise.all(others.map((slot) => this.#begin(slot)))
  }

  #begin(slot: Slot): Promise<void> {
    return new Promise((done, failed) => {
      slot.begun = { done, failed }
      this.#launch(slot)
    })
  }

  #launch(slot: Slot): void {
    const { clock, log, launch } = this.#options
    const since = clock.now()
    const worker = launch({
      message: (message) => this.#said(slot, message),
      ended: (code, signal) => {
        const fields = { node: slot.node, code, signal, pid: worker.pid }
        if (!this.#stopping) log.error('a worker ended', fields)
        this.#ended(slot, code, clock.now() - since)
      },
    })
    slot.process = worker
  }

  #said(slot: Slot, message: FromWorker): void {
    if (message.kind === 'up') this.#introduce(slot)
    else if (message.kind === 'ready') this.#isReady(slot)
    else {
      slot.asked.get(message.number)?.(message.answer)
      slot.asked.delete(message.number)
    }
  }

  #introduce(slot: Slot): void {
    const { settings, file } = this.#options
    const tell = slot === this.#slots[0] && slot.begun ? { file } : undefined
    slot.given = settings
    slot.process?.send({ kind: 'begin', node: slot.node, settings, tell })
    if (this.#stopping) slot.process?.send({ kind: 'stop' })
  }

  #isReady(slot: Slot): void {
    slot.ready = true
    if (slot.begun) slot.begun.done()
    else this.#options.log.info('a worker is there again', { node: slot.node })
    slot.begun = undefined
    void this.#catchUp(slot)
  }

  /** It was not to be asked when the others were told. */
  async #catchUp(slot: Slot): Promise<void> {
    const { settings, log } = this.#options
    if (slot.given === settings || this.#stopping) return
    slot.given = settings
    const answer = await this.#ask(slot, (number) => ({ kind: 'reload', number, settings }))
    if ('error' in answer && answer !== isGone)
      log.error('a worker did not reload', { node: slot.node, text: answer.error.text })
  }

  #ended(slot: Slot, code: number | null, lived: number): void {
    slot.process = undefined
    slot.ready = false
    for (const done of slot.asked.values()) done(isGone)
    slot.asked.clear()
    if (this.#stopping) {
      this.#clean &&= code === 0
      if (this.#slots.every(({ process }) => !process)) this.#empty()
    } else if (slot.begun) {
      slot.begun.failed(new WorkerFailed(code ?? 1))
      slot.begun = undefined
    } else this.#again(slot, lived)
  }

  #again(slot: Slot, lived: number): void {
    slot.falls = lived < SOON ? slot.falls + 1 : 0
    const pause = slot.falls < 2 ? 0 : Math.min(FIRST_PAUSE * 2 ** (slot.falls - 2), LONGEST_PAUSE)
    slot.timer = this.#options.clock.after(pause, () => {
      if (!this.#stopping) this.#launch(slot)
    })
  }

  // Requests

  async ask(request: ControlRequest): Promise<unknown> {
    if (request.command === 'server status') return this.#status(request)
    const slot = this.#slots.find(({ ready }) => ready)
    if (!slot) return notReady()
    return resultOf(await this.#ask(slot, (number) => ({ kind: 'ask', number, request })))
  }

  /** To all; what the first of them says changed. */
  async reload(settings: ServerSettings): Promise<readonly string[]> {
    // Whoever begins later has what can change while the others run, and nothing else.
    this.#options.settings = { ...this.#options.settings, hosts: settings.hosts }
    for (const slot of this.#slots) if (slot.ready) slot.given = this.#options.settings
    const [changes = []] = await this.#askAll((number) => ({ kind: 'reload', number, settings }))
    return changes as string[]
  }

  async #status(request: ControlRequest): Promise<ServerStatus> {
    const all = await this.#askAll((number) => ({ kind: 'ask', number, request }))
    const [first, ...others] = all as ServerStatus[]
    if (!first) return notReady()
    const hosts = first.hosts.map(({ domain, sessions }) => ({
      domain,
      sessions: others.reduce((sum, status) => sum + sessionsOf(status, domain), sessions),
    }))
    return { ...first, pid: process.pid, hosts }
  }

  async #askAll(question: (number: number) => ToWorker): Promise<unknown[]> {
    const ready = this.#slots.filter((slot) => slot.ready)
    const answers = await Promise.all(ready.map((slot) => this.#askInTime(slot, question)))
    // Who has ended meanwhile begins again with what is in force then.
    return answers.filter((answer) => answer !== isGone && answer !== isLate).map(resultOf)
  }

  /** Who does not answer keeps nobody: it may do later what it was told. */
  async #askInTime(slot: Slot, question: (number: number) => ToWorker): Promise<ControlAnswer> {
    const { clock, log } = this.#options
    const asked = this.#ask(slot, question)
    const number = this.#number
    const timer = clock.after(PATIENCE, () => {
      log.error('a worker does not answer', { node: slot.node })
      slot.asked.get(number)?.(isLate)
      slot.asked.delete(number)
    })
    return asked.finally(() => timer.cancel())
  }

  #ask(slot: Slot, question: (number: number) => ToWorker): Promise<ControlAnswer> {
    const number = ++this.#number
    return new Promise((resolve) => {
      slot.asked.set(number, resolve)
      slot.process?.send(question(number))
    })
  }

  // The end

  /** Resolves when all have ended; throws where one did not end as it should. */
  async stop(): Promise<void> {
    this.#stopping = true
    const running = this.#slots.filter(({ process }) => process)
    for (const { timer } of this.#slots) timer?.cancel()
    if (running.length === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#empty = resolve
    })
    for (const { process } of running) process?.send({ kind: 'stop' })
    await empty
    if (!this.#clean) throw new Error('a worker ended before it had finished: see above')
  }

  /** At once */
  kill(): void {
    this.#stopping = true
    for (const { process } of this.#slots) process?.kill()
  }
}

function sessionsOf(status: ServerStatus, domain: string): number {
  return status.hosts.find((host) => host.domain === domain)?.sessions ?? 0
}

function resultOf(answer: ControlAnswer): unknown {
  if ('result' in answer) return answer.result
  throw thrown(answer.error)
}

function thrown({ condition, text, faults }: ControlRefusal): Error {
  if (faults) return new ConfigError(faults)
  return new StanzaError(isStanzaCondition(condition) ? condition : 'undefined-condition', text)
}
