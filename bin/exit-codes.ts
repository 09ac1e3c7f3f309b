// What the exit code of `tercet` means; scripts rely on it.

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  configuration: 4,
} as const

export const exitMeanings: Readonly<Record<number, string>> = {
  0: 'it worked',
  1: 'it failed; the message says what to do',
  2: 'the command line was not understood',
  3: 'the server is not running',
  4: 'the configuration has faults',
}

/** The command line was not understood: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}
