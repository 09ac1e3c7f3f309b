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
  const say = (level: Level) => (text: string, more: Fields = {}) => {
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
  const fields = Object.fromEntries(Object.entries(event.fields).map(([name, value]) => [name, plain(value)]))
  if (options.format === 'json') return JSON.stringify({ time, level: event.level, text: event.text, ...fields })
  const tail = Object.entries(fields).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  return `${time} ${event.level.padEnd(5)} ${event.text}${tail.join('')}`
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  if (typeof value === 'bigint') return String(value)
  return value !== null && typeof value === 'object' ? String(value) : value
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
}
