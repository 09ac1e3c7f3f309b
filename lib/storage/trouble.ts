// Which failures are the database's own trouble (a full disk, a server that is away or overloaded) and
// no fault of what was to be written: the same write may succeed later.

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
const MESSAGES = /connection|timeout|timed out|pool|terminated|SQLite thread has ended/i

export function isTrouble(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'string' && code !== '')
    return SQLITE.has(code) || POSTGRES.test(code) || NETWORK.test(code)
  return typeof message === 'string' && MESSAGES.test(message)
}

/** The server refused the connection, or is starting up or shutting down: nothing was asked of it. */
const REFUSED = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', '57P03', '53300'])

/** Whether the write never reached the database, so that nothing of it can have taken place. */
export function isUnsent(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown }
  if (name === 'KnexTimeoutError') return true
  return typeof code === 'string' && REFUSED.has(code)
}
