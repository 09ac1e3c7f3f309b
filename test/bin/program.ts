// `tercet` as a process of its own, in a folder of its own, on ports that were free a moment ago.

import { randomInt } from 'node:crypto'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

const program = fileURLToPath(new URL('../../bin/tercet.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface Place {
  readonly folder: string
  run(args: readonly string[], input?: string, env?: Record<string, string>): Promise<Ended>
  /** Resolves when it says that it is ready. */
  start(args: readonly string[], ready?: RegExp): Promise<Started>
}

export interface Started {
  readonly process: ChildProcess
  readonly text: () => string
  readonly log: () => string
  readonly ended: Promise<Ended>
  /** Resolves when the log says so. */
  logs(pattern: RegExp): Promise<void>
}

export function place(t: Test, config?: string): Place {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-bin-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  if (config !== undefined) writeFileSync(join(folder, 'tercet.yaml'), config)
  return {
    folder,
    run(args, input, env) {
      const child = launch(folder, args, env)
      child.stdin!.on('error', () => {})
      child.stdin!.end(input ?? '')
      return collect(child).ended
    },
    async start(args, ready = /^ready after \d+ ms$/m) {
      const child = launch(folder, args)
      t.teardown(() => child.kill('SIGKILL'))
      const collected = collect(child)
      await Promise.race([
        collected.says('out', ready),
        collected.ended.then(({ code, err }) =>
          Promise.reject(new Error(`it ended with ${code}: ${err}`)),
        ),
      ])
      return { process: child, ...collected, logs: (pattern) => collected.says('err', pattern) }
    },
  }
}

function launch(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
): ChildProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(TERCET_|NODE_|TAP)/.test(name),
  )
  return spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...Object.fromEntries(inherited), ...env },
  })
}

function collect(child: ChildProcess) {
  const texts = { out: '', err: '' }
  const waiting = new Set<() => void>()
  for (const [name, stream] of [
    ['out', child.stdout!],
    ['err', child.stderr!],
  ] as const) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk
      for (const look of waiting) look()
    })
  }
  const says = (name: 'out' | 'err', pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (!pattern.test(texts[name])) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => resolve({ code, ...texts })),
  )
  return { ended, says, text: () => texts.out, log: () => texts.err }
}

/** Below the ports that the system gives to connections: those come and go under our hands. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(10_000, 32_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** A configuration for this machine alone. */
export async function quietConfig(more = ''): Promise<{ yaml: string; ports: readonly number[] }> {
  const ports = await freePorts(4)
  const [c2s, c2sTls, http, https] = ports
  const listen = `listen: { address: 127.0.0.1, c2s: ${c2s}, c2s_tls: ${c2sTls}, http: ${http}, https: ${https} }\n`
  return { yaml: `${listen}password_rounds: 10\n${more}`, ports }
}
