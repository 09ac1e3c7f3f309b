// The real program for tests with real clients: started as an operator would, on free ports, in a
// folder of its own.

import { spawn, execFile, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const program = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin', 'tercet.js')

export interface RealServer {
  readonly data: string
  readonly c2s: number
  readonly c2sTls: number
  readonly http: number
  readonly https: number
  /** PEM of the certificate that it made for itself */
  readonly certificate: string
  tercet(...args: string[]): Promise<string>
  addUser(name: string, password: string): Promise<void>
}

export async function realServer(
  t: Test,
  settings: Record<string, string> = {},
): Promise<RealServer> {
  const data = mkdtempSync(join(tmpdir(), 'tercet-real-'))
  const [c2s, c2sTls, http, https] = (await freePorts(4)) as [number, number, number, number]
  const all = {
    data,
    'listen.address': '127.0.0.1',
    'listen.c2s': String(c2s),
    'listen.c2s_tls': String(c2sTls),
    'listen.http': String(http),
    'listen.https': String(https),
    password_rounds: '10000',
    ...settings,
  }
  const flags = Object.entries(all).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const child = spawn(process.execPath, [program, 'start', ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => stop(child, data))
  await ready(child)
  const tercet = (...args: string[]) => run([...args, '--set', `data=${data}`])
  return {
    data,
    c2s,
    c2sTls,
    http,
    https,
    certificate: join(data, 'certificates', 'localhost.crt'),
    tercet,
    addUser: async (name, password) =>
      void (await run(
        ['user', 'add', `${name}@localhost`, '--password-stdin', '--set', `data=${data}`],
        password,
      )),
  }
}

async function run(args: string[], input?: string): Promise<string> {
  const running = promisify(execFile)(process.execPath, [program, ...args])
  running.child.stdin?.end(input ?? '')
  return (await running).stdout
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const listen = (chunk: Buffer): void => {
      said += chunk.toString()
      if (/^ready/m.test(said)) resolve()
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said}`)))
  })
}

async function stop(child: ChildProcess, data: string): Promise<void> {
  if (child.exitCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }
  rmSync(data, { recursive: true, force: true })
}

/** Below the range that the kernel gives to outgoing connections. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
