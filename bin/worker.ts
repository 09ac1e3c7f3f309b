// A worker: one node in a process of its own, which another process started and watches over. That one
// says what to begin, asks, and says when to stop; where it is gone, the worker stops too.

import cluster from 'node:cluster'
import { type ControlAnswer, refusalOf } from '../lib/core/control.js'
import { keepShortLivedYoung } from '../lib/ops/heap.js'
import { processLog } from './log.js'
import { explain } from './dispatch.js'
import { parseFlags } from './flags.js'
import { greet } from './greeting.js'
import { Lives } from './lives.js'
import { processTerminal } from './terminal.js'
import { verbs } from './verbs.js'
import type { FromWorker, ToWorker } from './worker-messages.js'

type Beginning = Extract<ToWorker, { kind: 'begin' }>

const parsed = parseFlags(process.argv.slice(2), verbs.find(({ name }) => name === 'start')!.flags)
const log = processLog(parsed)

for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
keepShortLivedYoung()

let lives: Lives | undefined

const stopping = new Promise<string>((resolve) => {
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') resolve('told to')
  })
  // In a terminal, and from service managers, all processes get it.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  cluster.worker!.on('disconnect', () => {
    // Otherwise the process would end in this moment.
    cluster.worker!.exitedAfterDisconnect = true
    resolve('nobody watches over it')
  })
})
// The process that watches over this one reloads.
process.on('SIGHUP', () => {})

const beginning = new Promise<Beginning | undefined>((resolve) => {
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'begin') resolve(message)
    else if (message.kind !== 'stop') void answer(message)
  })
  void stopping.then(() => resolve(undefined))
})
tell({ kind: 'up' })

try {
  const message = await beginning
  if (message) await live(message)
} catch (error) {
  process.exitCode = explain(error, processTerminal)
}
// What could not be ended as it should must not keep the process, and all that wait for its end.
process.exit()

async function live({ node, settings, tell: greeting }: Beginning): Promise<void> {
  const own = log.with({ node })
  const begun = await Lives.begin({ settings, node, log: own })
  if (greeting) {
    const running = { server: begun.server, settings, file: greeting.file }
    await greet(processTerminal, running, parsed)
  }
  lives = begun
  tell({ kind: 'ready' })
  await begun.until(stopping)
}

async function answer(message: Exclude<ToWorker, { kind: 'begin' | 'stop' }>): Promise<void> {
  tell({ kind: 'answer', number: message.number, answer: await answered(message) })
}

async function answered(
  message: Exclude<ToWorker, { kind: 'begin' | 'stop' }>,
): Promise<ControlAnswer> {
  try {
    const asked =
      message.kind === 'ask' ? lives!.ask(message.request) : lives!.reload(message.settings)
    return { result: (await asked) ?? null }
  } catch (error) {
    return { error: refusalOf(error, (bug) => log.error('a bug in control', { error: bug })) }
  }
}

function tell(message: FromWorker): void {
  // Nobody is there to be told any more: that is heard of elsewhere.
  if (process.connected) process.send!(message, undefined, undefined, () => {})
}
