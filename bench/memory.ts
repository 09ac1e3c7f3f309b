// What a server's memory is, in MiB: resident, and the heap with what hangs on it where the server
// was started to collect its garbage on request and tell (peers/collector.ts).
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { usageOf } from './measure.js'

export type Memory = { residentMb: number; heapMb: number }

const PATIENCE_MS = 10_000
const MIB = 2 ** 20

type Told = { heapUsed: number; external: number; rss: number }

export async function memoryOf(pid: number, file: string | undefined): Promise<Memory> {
  if (file === undefined) return { residentMb: usageOf([pid]).residentKb / 1024, heapMb: 0 }
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  for (let ms = 0; ms < PATIENCE_MS; ms += 20) {
    const told = read(file)
    if (told) return { residentMb: told.rss / MIB, heapMb: (told.heapUsed + told.external) / MIB }
    await pause(20)
  }
  throw new Error('the server did not tell its memory')
}

function read(file: string): Told | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Told
  } catch {
    return undefined
  }
}
