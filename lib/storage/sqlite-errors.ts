// The names of SQLite's result codes that somebody may want to tell apart; the drivers only give
// numbers (https://sqlite.org/rescode.html).

const names: Record<number, string> = {
  4: 'SQLITE_ABORT',
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  7: 'SQLITE_NOMEM',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  19: 'SQLITE_CONSTRAINT',
  26: 'SQLITE_NOTADB',
  275: 'SQLITE_CONSTRAINT_CHECK',
  787: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  1299: 'SQLITE_CONSTRAINT_NOTNULL',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
  2579: 'SQLITE_CONSTRAINT_ROWID',
}

/** The name of an extended code, else that of its primary code. */
export function errorName(code: number): string | undefined {
  return names[code] ?? names[code & 0xff]
}

/** What SQLite says of failures for which a driver gives no number: reads have none. */
const texts: readonly [RegExp, number][] = [
  [/database or disk is full/, 13],
  [/disk I\/O error/, 10],
  [/disk image is malformed/, 11],
  [/database is locked/, 5],
  [/table is locked/, 6],
  [/readonly database/, 8],
  [/unable to open database file/, 14],
  [/out of memory/, 7],
  [/^UNIQUE constraint failed/, 2067],
  [/^FOREIGN KEY constraint failed/, 787],
  [/^NOT NULL constraint failed/, 1299],
  [/^CHECK constraint failed/, 275],
]

export function codeOf(message: string): number {
  return texts.find(([text]) => text.test(message))?.[1] ?? 0
}
