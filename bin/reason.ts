// Why a command failed, in words that say what to do. What the system or the database refuses is an
// operator's to mend; anything else is a bug and needs its stack.

export interface SystemError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

const folder = 'the data folder cannot be used'
const database = 'the database does not let us in'

/** By the code of the error: what happened; then what to do. */
const reasons: Readonly<Record<string, readonly [string, string]>> = {
  EADDRINUSE: ['the port is taken', 'stop the other program, or write another port under listen'],
  EADDRNOTAVAIL: ['this machine has no such address', 'see listen.address'],
  EACCES: [
    'not allowed',
    "the data folder must be this user's; ports below 1024 need a capability",
  ],
  EPERM: ['not allowed', "the data folder must be this user's; ports below 1024 need a capability"],
  ENOTDIR: [folder, 'a file is in its way: see data'],
  EEXIST: [folder, 'a file is in its way: see data'],
  EROFS: [folder, 'the disk is read-only: see data'],
  ENOSPC: ['the disk is full', 'make room'],
  EMFILE: ['too many open files', 'raise the limit: ulimit -n'],
  ECONNREFUSED: ['the database does not answer', 'start it, or see database'],
  ENOTFOUND: ['the database is not found', 'see the name of its machine in database'],
  ETIMEDOUT: ['the database does not answer', 'see database'],
  '28P01': [database, 'see the user and the password in database'],
  '28000': [database, 'see the user in database, and its pg_hba.conf'],
  '3D000': ['there is no such database', 'create it, or see its name in database'],
}

export function reason(error: SystemError): string {
  if (error.name === 'AlreadyRunning')
    return `${error.message}: stop it first, or use another data folder`
  const known = reasons[error.code ?? '']
  if (!known) return error.stack ?? String(error)
  return `${known[0]} (${error.message}): ${known[1]}`
}
