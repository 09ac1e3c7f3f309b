// Redis for nodes that are several: the system's redis-server, on the servers' core, on loopback, with
// nothing on disk. It goes with whoever started it.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { onServerCore } from '../pinning.js'
import { hasProgram } from '../programs.js'
import { RedisCommands } from '../redis-commands.js'
import { freePort } from './ports.js'

const START_LIMIT_MS = 10_000

export type RedisServer = { pid: number; address: string; stop(): Promise<void> }

export async function startRedis(folder: string): Promise<RedisServer> {
  if (!hasProgram('redis-server')) throw new Error('redis-server is not here: apt-get install it')
  const port = await freePort()
  const where = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const command = onServerCore(['redis-server', ...where])
  const child = spawn(command[0]!, command.slice(1), { stdio: 'ignore' })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  const address = `redis://127.0.0.1:${port}`
  await answering(address, child)
  const stop = async () => {
    process.off('exit', end)
    const ended = new Promise((done) => child.once('exit', done))
    if (end()) await ended
  }
  return { pid: child.pid!, address, stop }
}

async function answering(address: string, child: ChildProcess): Promise<void> {
  for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit; await pause(20)) {
    if (child.exitCode !== null) break
    const redis = await RedisCommands.open(address).catch(() => undefined)
    redis?.close()
    if (redis) return
  }
  throw new Error('redis-server did not start')
}
