// A server from its start to its end: pinned, awaited until it answers a stream with its
// features, stopped with all its descendants. The time from start to that answer is its start
// time.
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { processTree } from '../measure.js'
import { onServerCore } from '../pinning.js'
import { outputOf } from '../programs.js'
import { DOMAIN, type Launch, type Peer, type Site } from './peer.js'

const READY_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 10_000

export type Running = {
  peer: Peer
  site: Site
  pid: number
  readyMs: number
  stop(): Promise<void>
}

const isRoot = process.getuid?.() === 0
const started = new Set<ChildProcess>()

/** A server outlives nothing that ends the bench. */
process.on('exit', () => {
  for (const child of started) {
    if (isAlive(child) && child.pid) for (const pid of processTree([child.pid])) endProcess(pid)
  }
})

/** `launch` goes before the server's command and becomes the server. */
export async function start(peer: Peer, site: Site, launch: string[] = []): Promise<Running> {
  const given = withPrefix(peer.prepare(site), launch)
  const began = performance.now()
  const child = spawnServer(given, site)
  started.add(child)
  await ready(child, site)
  const readyMs = performance.now() - began
  return { peer, site, pid: child.pid!, readyMs, stop: () => stop(child) }
}

function withPrefix(given: Launch, launch: string[]): Launch {
  return { ...given, command: [...launch, ...given.command] }
}

function spawnServer(launch: Launch, site: Site): ChildProcess {
  const command = onServerCore(launch.command)
  const child = spawn(command[0]!, command.slice(1), {
    ...identity(launch.user, site.folder),
    cwd: site.folder,
    env: { ...process.env, ...launch.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(join(site.folder, 'output.log'), { flags: 'a' })
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  child.on('error', () => {})
  return child
}

/** Servers that refuse to be root get the folder and the identity that their package made. */
function identity(user: string | undefined, folder: string): { uid?: number; gid?: number } {
  const uid = user === undefined || !isRoot ? undefined : outputOf('id', '-u', user)
  const gid = uid === undefined ? undefined : outputOf('id', '-g', user!)
  if (uid === undefined || gid === undefined) return {}
  outputOf('chown', '-R', `${uid}:${gid}`, folder)
  return { uid: Number(uid), gid: Number(gid) }
}

async function ready(child: ChildProcess, site: Site): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS
  while (performance.now() < deadline) {
    if (!isAlive(child) || child.pid === undefined) break
    if (await answers(site.ports.clear)) return
    await pause(5)
  }
  await stop(child)
  throw new Error(`the server did not start; see ${join(site.folder, 'output.log')}`)
}

/** Whether a stream gets its features (RFC 6120 §4.3.2). */
export function answers(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const end = (good: boolean) => {
      socket.destroy()
      answer(good)
    }
    socket.setTimeout(2000, () => end(false))
    socket.on('error', () => end(false)).on('close', () => answer(false))
    socket.on('data', (bytes) => {
      text += bytes
      if (text.includes('features>')) end(true)
    })
    socket.write(
      `<?xml version='1.0'?><stream:stream to='${DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`,
    )
  })
}

/** The server is asked; what is left of it and its descendants after a while is ended. */
async function stop(child: ChildProcess): Promise<void> {
  const tree = child.pid === undefined ? [] : processTree([child.pid])
  const ended = new Promise((done) => child.once('exit', done))
  if (isAlive(child)) {
    child.kill('SIGTERM')
    await Promise.race([ended, pause(STOP_LIMIT_MS, undefined, { ref: false })])
  }
  for (const pid of tree) if (pid !== child.pid || isAlive(child)) endProcess(pid)
  started.delete(child)
}

const isAlive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it ended already
  }
}
