// The life of a server process: start, ready, signals, reload, stop. SIGTERM and SIGINT stop it
// gracefully (a second one at once), SIGHUP reads the configuration again.

import { mkdirSync } from 'node:fs'
import { configure } from '../lib/core/configuration.js'
import type { Configuration, ConfigurationSource } from '../lib/core/configuration.js'
import { ControlSocket } from '../lib/core/control.js'
import type { ControlRequest } from '../lib/core/control.js'
import { controlVerbs, notReady } from '../lib/core/control-verbs.js'
import { Server } from '../lib/core/server.js'
import { keepShortLivedYoung } from '../lib/ops/heap.js'
import { createLog } from '../lib/ops/log.js'
import type { Level, Log } from '../lib/ops/log.js'
import { ConfigError } from '../lib/xmpp/errors.js'
import { exitCodes } from './exit-codes.js'
import { showFault } from './fault-report.js'
import type { Parsed } from './flags.js'

export interface Running {
  readonly server: Server
  readonly configuration: Configuration
}

export interface Serving {
  readonly source: ConfigurationSource
  readonly log: Log
  /** The server listens: what people are told. */
  ready(running: Running): Promise<void>
}

/** Resolves when the server has stopped. */
export async function serve({ source, log, ready }: Serving): Promise<number> {
  keepShortLivedYoung()
  const configuration = await configure(source)
  for (const warning of configuration.warnings) log.warn(showFault(warning))
  const folder = configuration.settings.data
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let answer: (request: ControlRequest) => Promise<unknown> = async () => notReady()
  // First, so that a second server on this folder ends before it touches anything.
  const control = await ControlSocket.open({
    folder,
    answer: (request) => answer(request),
    failed: (error) => log.error('a bug in control', { error }),
  })
  try {
    const server = await Server.start({ settings: configuration.settings, log })
    const reload = reloading(server, { source, log })
    answer = controlVerbs(server, { reload })
    const stopped = untilSignal(log, reload)
    await ready({ server, configuration })
    log.info(`${await stopped}: stopping`)
    await server.stop()
  } finally {
    await control.close()
  }
  log.info('stopped')
  return exitCodes.ok
}

/** One after the other; each says what changed, and changes nothing where the configuration has faults. */
function reloading(
  server: Server,
  { source, log }: Pick<Serving, 'source' | 'log'>,
): () => Promise<readonly string[]> {
  let last: Promise<unknown> = Promise.resolve()
  return () => {
    const next = last.then(async () => {
      const { settings, warnings } = await configure(source)
      for (const warning of warnings) log.warn(showFault(warning))
      const changes = await server.reload(settings)
      log.info(changes.length === 0 ? 'reload: nothing changed' : 'reload: done')
      for (const change of changes) log.info(change)
      return changes
    })
    last = next.catch(() => undefined)
    return next
  }
}

function untilSignal(log: Log, reload: () => Promise<unknown>): Promise<string> {
  process.on('SIGHUP', () => void reload().catch((error: unknown) => reloadFailed(log, error)))
  return new Promise((resolve) => {
    let stopping = false
    const stop = (signal: NodeJS.Signals): void => {
      // Somebody does not want to wait: what is not on disk was not acknowledged either.
      if (stopping) process.exit(exitCodes.failed)
      stopping = true
      resolve(signal)
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}

function reloadFailed(log: Log, error: unknown): void {
  if (!(error instanceof ConfigError)) {
    log.error('a bug in reload', { error })
    return
  }
  for (const fault of error.faults) log.error(showFault(fault))
  log.error('reload: the old configuration stays')
}

/** For people on a terminal, JSON elsewhere; on standard error, beside what the command prints. */
export function processLog(parsed: Parsed): Log {
  return createLog({
    level: (parsed.value('log') ?? 'info') as Level,
    format: process.stderr.isTTY ? 'text' : 'json',
    write: (line) => void process.stderr.write(`${line}\n`),
    now: () => Date.now(),
  })
}
