// The life of a server process: start, ready, signals, reload, stop. SIGTERM and SIGINT stop it
// gracefully (a second one at once), SIGHUP reads the configuration again. The server is in this process,
// or in several that this one watches over.

import { mkdirSync } from 'node:fs'
import { configure } from '../lib/core/configuration.js'
import type { ConfigurationSource } from '../lib/core/configuration.js'
import { ControlSocket } from '../lib/core/control.js'
import type { ControlRequest } from '../lib/core/control.js'
import { notReady } from '../lib/core/control-verbs.js'
import type { Server } from '../lib/core/server.js'
import type { ServerSettings } from '../lib/core/settings.js'
import { keepShortLivedYoung } from '../lib/ops/heap.js'
import type { Log } from '../lib/ops/log.js'
import { ConfigError } from '../lib/xmpp/errors.js'
import { exitCodes } from './exit-codes.js'
import { showFault } from './fault-report.js'
import { Lives } from './lives.js'
import { nodeName } from './node-name.js'
import { WorkerFailed } from './workers.js'

export interface Running {
  readonly server: Server
  readonly settings: ServerSettings
  /** Of the configuration; undefined where there is none */
  readonly file: string | undefined
}

export interface Serving {
  readonly source: ConfigurationSource
  readonly log: Log
  /** The command line's, for workers; without them there are none. */
  readonly args?: readonly string[]
  /** The server listens: what people are told. With workers the first of them tells it instead. */
  tell(running: Running): Promise<void>
  /** Everything listens. */
  ready(): void
}

/** What runs: one server, or workers */
export interface Run {
  ask(request: ControlRequest): Promise<unknown>
  reload(settings: ServerSettings): Promise<readonly string[]>
  /** Until somebody wants it to end. */
  until(wanted: Promise<string>): Promise<void>
  /** Somebody does not want to wait. */
  kill(): void
}

/** Resolves when the server has stopped. */
export async function serve(serving: Serving): Promise<number> {
  const { source, log } = serving
  keepShortLivedYoung()
  const { settings, warnings, answer } = await configure(source)
  for (const warning of warnings) log.warn(showFault(warning))
  mkdirSync(settings.data, { recursive: true, mode: 0o700 })
  let unfinished = false
  let ask: Run['ask'] = async () => notReady()
  // First, so that a second server on this folder ends before it touches anything.
  const control = await ControlSocket.open({
    folder: settings.data,
    answer: (request) => ask(request),
    failed: (error) => log.error('a bug in control', { error }),
  })
  try {
    const run = await begin(serving, settings, answer.file)
    const reload = reloading(run, serving)
    ask = (request) => (request.command === 'server reload' ? reload() : run.ask(request))
    const wanted = untilSignal(log, { reload, kill: () => run.kill() })
    serving.ready()
    unfinished = await run.until(wanted).then(
      () => false,
      (error: unknown) => {
        log.error('not everything could be ended as it should', { error })
        return true
      },
    )
  } catch (error) {
    // It has said why.
    if (error instanceof WorkerFailed) return error.code
    throw error
  } finally {
    await control.close()
  }
  // Whatever is still open would keep the process.
  if (unfinished) process.exit(exitCodes.failed)
  log.info('stopped')
  return exitCodes.ok
}

async function begin(
  { args, log, tell }: Serving,
  settings: ServerSettings,
  file: string | undefined,
): Promise<Run> {
  const node = (settings.redis ?? '') === '' ? undefined : nodeName(settings.data)
  if (args && node !== undefined && (settings.workers ?? 1) > 1) {
    const { beginSeveral } = await import('./several.js')
    return beginSeveral({ settings, node, file, args, log })
  }
  const own = node === undefined ? log : log.with({ node })
  const lives = await Lives.begin({ settings, node, log: own })
  await tell({ server: lives.server, settings, file })
  return lives
}

/** One after the other; each says what changed, and changes nothing where the configuration has faults. */
function reloading(run: Run, { source, log }: Serving): () => Promise<readonly string[]> {
  let last: Promise<unknown> = Promise.resolve()
  return () => {
    const next = last.then(async () => {
      const { settings, warnings } = await configure(source)
      for (const warning of warnings) log.warn(showFault(warning))
      return run.reload(settings)
    })
    last = next.catch(() => undefined)
    return next
  }
}

function untilSignal(
  log: Log,
  { reload, kill }: { reload(): Promise<unknown>; kill(): void },
): Promise<string> {
  process.on('SIGHUP', () => void reload().catch((error: unknown) => reloadFailed(log, error)))
  return new Promise((resolve) => {
    let stopping = false
    const stop = (signal: NodeJS.Signals): void => {
      // Somebody does not want to wait: what is not on disk was not acknowledged either.
      if (stopping) {
        kill()
        process.exit(exitCodes.failed)
      }
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
