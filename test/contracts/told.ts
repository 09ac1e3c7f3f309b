// A log that keeps what was said, for tests that ask whether somebody was told.

import { createLog, type Log } from '../../lib/ops/log.js'

export interface Told {
  readonly log: Log
  /** Texts without their fields */
  readonly lines: string[]
}

export function told(): Told {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line).text)
  return { lines, log: createLog({ level: 'info', format: 'json', write, now: () => 0 }) }
}

/** What the journal says of its database */
export const NOTHING = 'the database takes nothing'
export const AGAIN = 'the database takes what it is given again'
