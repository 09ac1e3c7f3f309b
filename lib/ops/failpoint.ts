// Places where the fault harness (test/faults) may end this process, and the one promise that it may
// have broken to see that it notices. Both act only where an environment variable asks for it when
// the process starts; otherwise each call is one comparison. Threads count for themselves, so a
// name belongs in one thread only.
//
//   TERCET_FAILPOINT=NAME:N   the N-th time that NAME is reached, the process ends by SIGKILL
//   TERCET_BREAK=ack-early    stanzas are acknowledged before they are on disk

/**
 * before-commit: rows inserted, nothing committed.
 * after-commit: committed, nobody told, nothing delivered.
 * after-deliver: delivered, not acknowledged.
 * during-ack: the acknowledgement was handed to the socket, the turn goes on.
 */
export const failpoints = ['before-commit', 'after-commit', 'after-deliver', 'during-ack'] as const
export type Failpoint = (typeof failpoints)[number]

export const breakable = ['ack-early'] as const
export type Promised = (typeof breakable)[number]

interface Armed {
  readonly name: string
  left: number
}

const armed = arm(process.env.TERCET_FAILPOINT)
const brokenPromise = process.env.TERCET_BREAK || undefined

function arm(text: string | undefined): Armed | undefined {
  const match = /^([a-z-]+):([1-9]\d*)$/.exec(text ?? '')
  return match ? { name: match[1]!, left: Number(match[2]) } : undefined
}

/** Ends the process here, as a power cut would, if that was asked for. */
export function failpoint(name: Failpoint): void {
  if (armed === undefined) return
  if (armed.name === name && --armed.left === 0) process.kill(process.pid, 'SIGKILL')
}

/** Whether this one was asked for, where stopping there needs another way of working. */
export function expected(name: Failpoint): boolean {
  return armed?.name === name
}

export function broken(promise: Promised): boolean {
  return brokenPromise === promise
}
