// What a server costs, read from /proc: processor time (user and system) and resident memory of
// a set of processes with all their descendants. The kernel counts processor time in ticks of
// 10 ms, so a measurement should last seconds.
import { readdirSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100

export type Usage = { cpuSeconds: number; residentKb: number }

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Fields of /proc/PID/stat from the third (state) on; the second may hold spaces and brackets. */
function statFields(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`)
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

export function processTree(roots: readonly number[]): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = Number(statFields(pid)[1])
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid])
  }
  const tree = new Set(roots)
  for (const pid of tree) for (const child of childrenOf.get(pid) ?? []) tree.add(child)
  return [...tree]
}

/** Time of children that ended and were waited for is in fields 13 and 14. */
function cpuSeconds(pid: number): number {
  const fields = statFields(pid)
  const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field] ?? 0), 0)
  return ticks / TICKS_PER_SECOND
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0)
}

export function usageOf(roots: readonly number[]): Usage {
  const usage = { cpuSeconds: 0, residentKb: 0 }
  for (const pid of processTree(roots)) {
    usage.cpuSeconds += cpuSeconds(pid)
    usage.residentKb += residentKb(pid)
  }
  return usage
}

/** Processor time by program. */
export function timesOf(parts: Readonly<Record<string, readonly number[]>>): Map<string, number> {
  return new Map(
    Object.entries(parts).map(([name, roots]) => [name, usageOf(roots).cpuSeconds] as const),
  )
}

/** Microseconds of each program for one of so many units of work, where there are several programs. */
export function partFigures(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  units: number,
): Record<string, number> {
  if (after.size < 2) return {}
  const micros = ([name, seconds]: readonly [string, number]) => {
    const spent = (seconds - (before.get(name) ?? 0)) * 1e6
    return [`micros ${name}`, spent / Math.max(1, units)] as const
  }
  return Object.fromEntries([...after].map(micros))
}

export type CoreTime = { busySeconds: number; stealSeconds: number }

/** How long a core worked for anybody, and how long the hypervisor kept it from us. */
export function coreTime(core: number): CoreTime {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(read('/proc/stat'))?.[1] ?? ''
  const ticks = line.trim().split(/\s+/).map(Number)
  const sum = (...fields: number[]) => fields.reduce((total, i) => total + (ticks[i] ?? 0), 0)
  return {
    busySeconds: sum(0, 1, 2, 5, 6) / TICKS_PER_SECOND,
    stealSeconds: sum(7) / TICKS_PER_SECOND,
  }
}
