// Workers as processes of this machine: Node starts them, and hands them what arrives at the ports, in turn,
// where they cannot open those themselves.

import cluster from 'node:cluster'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { ServerSettings } from '../lib/core/settings.js'
import { listenOn, mayShare, stopListening } from '../lib/net/listener.js'
import { systemClock } from '../lib/ops/clock.js'
import type { Log } from '../lib/ops/log.js'
import type { Run } from './serving.js'
import { type WorkerEvents, type WorkerProcess, Workers } from './workers.js'

export interface Several {
  readonly settings: ServerSettings
  readonly node: string
  readonly file: string | undefined
  /** Of the command line, for the workers */
  readonly args: readonly string[]
  readonly log: Log
}

export async function beginSeveral({ args, ...several }: Several): Promise<Run> {
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('./worker.js', import.meta.url)),
    args: [...args],
    // Settings have values that JSON has not.
    serialization: 'advanced',
  })
  const { log } = several
  const workers = new Workers({ ...several, clock: systemClock, launch })
  log.info('workers begin', {
    count: several.settings.workers,
    ports: mayShare ? 'each opens them' : 'handed over',
  })
  try {
    if (mayShare) await portsAreFree(several.settings)
    await workers.begin()
  } catch (error) {
    await workers.stop().catch(() => undefined)
    throw error
  }
  return {
    ask: (request) => workers.ask(request),
    reload: (settings) => workers.reload(settings),
    kill: () => workers.kill(),
    async until(wanted) {
      log.info(`${await wanted}: stopping`)
      await workers.stop()
    },
  }
}

/** Two programs that both share their ports would not notice each other. */
async function portsAreFree({ listen }: ServerSettings): Promise<void> {
  for (const place of [...listen.c2s, ...listen.c2s_tls, ...listen.http, ...listen.https]) {
    const server = createServer()
    await listenOn(server, place, () => {})
    await stopListening(server)
  }
}

function launch(events: WorkerEvents): WorkerProcess {
  const worker = cluster.fork()
  worker.on('message', events.message)
  worker.on('exit', events.ended)
  // It has ended already: that is heard of by itself.
  worker.on('error', () => {})
  return {
    pid: worker.process.pid,
    send(message) {
      if (worker.isConnected()) worker.send(message, () => {})
    },
    kill: () => void worker.process.kill('SIGKILL'),
  }
}
