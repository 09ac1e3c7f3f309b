// Loaded before the server where its memory is measured (`--expose-gc --import`): on SIGUSR2 the
// garbage is collected and what is left is written to a file, as a whole or not at all.
import { renameSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const file = process.env.BENCH_MEMORY_FILE

function tell(path: string): void {
  globalThis.gc?.()
  globalThis.gc?.()
  writeFileSync(`${path}.new`, JSON.stringify(process.memoryUsage()))
  renameSync(`${path}.new`, path)
}

if (isMainThread && file !== undefined) process.on('SIGUSR2', () => tell(file))
