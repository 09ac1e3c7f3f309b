// The server under test: a process of its own in a folder of its own, started as often as it is
// ended, always on the same ports. Whoever ends it says so first; any other end is its failure.

import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { processTree } from '../../bench/measure.js'
import type { Launch, Site } from '../../bench/peers/peer.js'
import { answers } from '../../bench/peers/running.js'
import { outputOf } from '../../bench/programs.js'

const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 20_000

export type End = { code: number | null; signal: NodeJS.Signals | null }

export interface Start {
  environment?: Record<string, string>
  /** Puts other programs in front of it. */
  wrap?(command: readonly string[]): string[]
}

const alive = new Set<number>()

/** It outlives nothing that ends the harness. */
process.on('exit', () => {
  for (const pid of processTree([...alive])) endProcess(pid)
})

export class ServerProcess {
  readonly #launch: Launch
  readonly #site: Site
  #child: ChildProcess | undefined
  #ended: Promise<End> = Promise.resolve({ code: 0, signal: null })
  #expected = true
  /** How often it ended though nobody asked it to */
  deaths = 0
  startMs: number[] = []
  /** What is done about that */
  whenDead: () => void = () => {}

  constructor(launch: Launch, site: Site) {
    this.#launch = launch
    this.#site = site
  }

  get pid(): number {
    return this.#child!.pid!
  }

  /** Resolves when a stream gets its features; or when it has ended already, as it was to. */
  async start(how: Start = {}): Promise<void> {
    const began = performance.now()
    const child = this.#spawn(how)
    this.#child = child
    this.#expected = false
    if (child.pid) alive.add(child.pid)
    this.#ended = new Promise((resolve) => {
      child.once('error', () => resolve({ code: null, signal: null }))
      child.once('exit', (code, signal) => {
        if (child.pid) alive.delete(child.pid)
        resolve({ code, signal })
        if (!this.#expected) this.#died()
      })
    })
    while (isAlive(child) && !(await answers(this.#site.ports.clear))) {
      if (performance.now() - began > READY_LIMIT_MS) await this.kill()
      await pause(10)
    }
    this.startMs.push(performance.now() - began)
    if (!isAlive(child) && !this.#expected)
      throw new Error(`the server did not start: ${this.#lastWords()}`)
  }

  #died(): void {
    this.deaths++
    this.whenDead()
  }

  #lastWords(): string {
    return readFileSync(join(this.#site.folder, 'output.log'), 'utf8').slice(-1500)
  }

  #spawn({ environment, wrap = (command) => [...command] }: Start): ChildProcess {
    const { command, user, environment: own } = this.#launch
    const [program, ...parameters] = wrap(command)
    const { folder } = this.#site
    const child = spawn(program!, parameters, {
      ...identity(user, folder),
      cwd: folder,
      env: { ...process.env, ...own, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const log = createWriteStream(join(folder, 'output.log'), { flags: 'a' })
    child.stdout?.pipe(log, { end: false })
    child.stderr?.pipe(log, { end: false })
    return child
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** It is to end by itself, soon. */
  expectEnd(): void {
    this.#expected = true
  }

  /** Resolves when it has ended, in whatever way; undefined when the time is over before. */
  ended(limitMs: number): Promise<End | undefined> {
    return Promise.race([this.#ended, pause(limitMs, undefined, { ref: false })])
  }

  /** SIGKILL for all its processes; `strike` is called at that very moment. */
  async kill(strike: () => void = () => {}): Promise<void> {
    this.#expected = true
    const tree = isAlive(this.#child) ? processTree([this.pid]) : []
    strike()
    for (const pid of tree) endProcess(pid)
    await this.#ended
  }

  /** SIGTERM; SIGKILL where that does not help. */
  async stop(): Promise<{ end: End; ms: number }> {
    this.#expected = true
    const began = performance.now()
    const tree = isAlive(this.#child) ? processTree([this.pid]) : []
    this.#child?.kill('SIGTERM')
    const end = await this.ended(STOP_LIMIT_MS)
    for (const pid of tree) if (pid !== this.#child?.pid || !end) endProcess(pid)
    return { end: end ?? (await this.#ended), ms: performance.now() - began }
  }
}

const isAlive = (child: ChildProcess | undefined): boolean =>
  child?.pid !== undefined && child.exitCode === null && child.signalCode === null

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended already
  }
}

/** Servers that refuse to be root get the folder and the identity that their package made. */
function identity(user: string | undefined, folder: string): { uid?: number; gid?: number } {
  if (user === undefined || process.getuid?.() !== 0) return {}
  const uid = outputOf('id', '-u', user)
  const gid = outputOf('id', '-g', user)
  if (uid === undefined || gid === undefined) return {}
  outputOf('chown', '-R', `${uid}:${gid}`, folder)
  return { uid: Number(uid), gid: Number(gid) }
}
