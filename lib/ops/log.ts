// The log: one line an event, text with fields; for people on a terminal, JSON elsewhere. Fields are
// values, never part of the text, and are escaped: whatever a stranger wrote stays on its line.
// No body, no password, no token is ever a field.

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Fields = Record<string, unknown>

export interface Log {
  debug(text: string, fields?: Fields): void
  info(text: string, fields?: Fields): void
  warn(text: string, fields?: Fields): void
  error(text: string, fields?: Fields): void
  /** The same log with these fields on every line. */
  with(fields: Fields): Log
}

const order: Record<Level, number> = { debug: 0, info: 1, warn: 2, error: 3 }

export interface LogOptions {
  level: Level
  format: 'text' | 'json'
  write(line: string): void
  now(): number
}

export function createLog(options: LogOptions, fields: Fields = {}): Log {
  const say =
    (level: Level) =>
    (text: string, more: Fields = {}) => {
      if (order[level] < order[options.level]) return
      options.write(line({ level, text, fields: { ...fields, ...more } }, options))
    }
  return {
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    with: (more) => createLog(options, { ...fields, ...more }),
  }
}

function line(event: { level: Level; text: string; fields: Fields }, options: LogOptions): string {
  const time = new Date(options.now()).toISOString()
  const fields = Object.entries(event.fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, plain(value)] as const)
  if (options.format === 'json') {
    const own = { time, level: event.level, text: event.text }
    return visible(JSON.stringify({ ...own, ...Object.fromEntries(fields), ...own }))
  }
  const tail = fields.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  return visible(`${time} ${event.level.padEnd(5)} ${event.text}${tail.join('')}`)
}

/** LIM-log-field, in characters: nobody fills the disk with one line. */
const LONGEST = 8192

function plain(value: unknown): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value
  const text = written(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function written(value: unknown): string {
  try {
    return value instanceof Error ? (value.stack ?? value.message) : String(value)
  } catch {
    // No toString, or one that breaks: an event is logged whatever it is about.
    return Object.prototype.toString.call(value)
  }
}

// What ends a line, moves a terminal's cursor or turns the direction of writing.
const INVISIBLE =
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g

function visible(line: string): string {
  return line.replace(INVISIBLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
}
