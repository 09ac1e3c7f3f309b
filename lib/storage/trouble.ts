// Which failures are the database's own trouble (a full disk, a server that is away or overloaded) and
// no fault of what was to be written: the same write may succeed later. And which of them say how far
// the write came: where that matters it is known from the step that failed, never from an error's words.

const SQLITE = new Set([
  'SQLITE_FULL',
  'SQLITE_IOERR',
  'SQLITE_BUSY',
  'SQLITE_LOCKED',
  'SQLITE_NOMEM',
  'SQLITE_CANTOPEN',
  'SQLITE_READONLY',
])

/** SQLSTATE classes: connection, two that waited for each other, resources, operator, system; and statements cut off by a limit. */
const POSTGRES = /^(08|40|53|57|58)...$/

const NETWORK = /^(ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|ENOENT)/
/** Errors of the driver and the pool have no code. */
const MESSAGES = /connection|timeout|timed out|pool|aborted|terminated|SQLite thread has ended/i

/** SQLSTATE of our own: the life that would write is over (lives.ts). */
export const FENCED = 'TC001'

/** Another: the transaction was given up before it began (commit-mark.ts); nobody is left to hear it. */
export const TOO_LATE = 'TC002'

/** No trouble that ends: whoever meets it never writes again. */
export function isFencedOff(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === FENCED
}

/** Nothing reached the database: no connection was had, or the transaction did not begin. */
export class Unsent extends Error {
  readonly code: unknown

  /** An error of its own: one that a connection ends with is that of all who waited for it. */
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.code = (cause as { code?: unknown } | undefined)?.code
  }
}

/** Nobody could find out whether a write took place: to repeat it might do it twice. */
export class OutcomeUnknown extends Error {
  constructor(cause: unknown) {
    super('nobody knows whether it was stored', { cause })
  }
}

export function isTrouble(error: unknown): boolean {
  if (error instanceof Unsent || error instanceof OutcomeUnknown) return true
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && code !== '')
    return SQLITE.has(code) || POSTGRES.test(code) || NETWORK.test(code)
  return typeof message === 'string' && MESSAGES.test(message)
}
