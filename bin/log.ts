// The log of a process: for people on a terminal, JSON elsewhere; on standard error, beside what the
// command prints.

import { createLog } from '../lib/ops/log.js'
import type { Level, Log } from '../lib/ops/log.js'
import type { Parsed } from './flags.js'

export function processLog(parsed: Parsed): Log {
  return createLog({
    level: (parsed.value('log') ?? 'info') as Level,
    format: process.stderr.isTTY ? 'text' : 'json',
    write: (line) => void process.stderr.write(`${line}\n`),
    now: () => Date.now(),
  })
}
