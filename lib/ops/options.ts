// Kinds of options. A module's head and the configuration's own keys declare every option once:
// type, default, bounds, unit and one sentence. Reading the file, checking it, the sample
// configuration, the manual and the JSON Schema all come from these declarations.

export interface Option<T = unknown> {
  readonly kind: 'integer' | 'duration' | 'bytes' | 'text' | 'flag' | 'choice' | 'list' | 'map'
  /** As an operator would write it. */
  readonly default: unknown
  readonly doc: string
  readonly unit?: string
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly string[]
  /** Turns what the file says into the value; throws an Error whose message says what is wanted. */
  read(written: unknown): T
}

export type Options = Record<string, Option>
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never
}

interface Bounds {
  min?: number
  max?: number
}

export function integer(
  option: { default: number; doc: string; unit?: string } & Bounds,
): Option<number> {
  return {
    ...option,
    kind: 'integer',
    read(written) {
      const value =
        typeof written === 'string' && /^-?\d+$/.test(written) ? Number(written) : written
      if (!Number.isSafeInteger(value)) throw new Error('a whole number is wanted')
      return within(value as number, option, String)
    },
  }
}

const SECOND = 1000
const DURATIONS = new Map(
  Object.entries({
    ms: 1,
    s: SECOND,
    second: SECOND,
    m: 60 * SECOND,
    min: 60 * SECOND,
    minute: 60 * SECOND,
    h: 3600 * SECOND,
    hour: 3600 * SECOND,
    d: 86400 * SECOND,
    day: 86400 * SECOND,
    w: 604800 * SECOND,
    week: 604800 * SECOND,
    month: 30 * 86400 * SECOND,
    y: 365 * 86400 * SECOND,
    year: 365 * 86400 * SECOND,
  }),
)

/** In milliseconds; 'never' is Infinity where the default or `max: Infinity` allows it. */
export function duration(option: {
  default: string
  doc: string
  min?: string
  max?: string
}): Option<number> {
  const bounds: Bounds = {}
  if (option.min !== undefined) bounds.min = milliseconds(option.min)
  if (option.max !== undefined) bounds.max = milliseconds(option.max)
  const mayBeNever = [milliseconds(option.default), bounds.max].includes(Number.POSITIVE_INFINITY)
  return {
    kind: 'duration',
    default: option.default,
    doc: option.doc,
    ...bounds,
    read(written) {
      const value = within(milliseconds(written), bounds, (ms) => `${ms / SECOND} seconds`)
      if (value === Number.POSITIVE_INFINITY && !mayBeNever)
        throw new Error('an end is wanted: it cannot be for ever')
      return value
    },
  }
}

function milliseconds(written: unknown): number {
  if (written === 'never' || written === 'forever') return Number.POSITIVE_INFINITY
  const match = /^\s*(\d+(?:\.\d+)?)\s*(ms|[a-z]+?)s?\s*$/.exec(String(written))
  const unit = match ? DURATIONS.get(match[2]!) : undefined
  if (!match || unit === undefined)
    throw new Error("a duration is wanted, such as '30 s', '10 minutes' or '1 year'")
  return Number(match[1]) * unit
}

const SIZES = new Map(
  Object.entries({
    '': 1,
    b: 1,
    kb: 1000,
    kib: 1024,
    mb: 1000 ** 2,
    mib: 1024 ** 2,
    gb: 1000 ** 3,
    gib: 1024 ** 3,
  }),
)

export function bytes(option: {
  default: string
  doc: string
  min?: string
  max?: string
}): Option<number> {
  const bounds: Bounds = {}
  if (option.min !== undefined) bounds.min = size(option.min)
  if (option.max !== undefined) bounds.max = size(option.max)
  return {
    kind: 'bytes',
    default: option.default,
    doc: option.doc,
    ...bounds,
    read: (written) => within(size(written), bounds, (value) => `${value} bytes`),
  }
}

function size(written: unknown): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(written))
  const unit = match ? SIZES.get(match[2]!.toLowerCase()) : undefined
  if (!match || unit === undefined)
    throw new Error("a size is wanted, such as '256 KiB' or '50 MB'")
  return Math.floor(Number(match[1]) * unit)
}

export function text(option: {
  default: string
  doc: string
  pattern?: RegExp
  wanted?: string
}): Option<string> {
  return {
    kind: 'text',
    default: option.default,
    doc: option.doc,
    read(written) {
      if (typeof written !== 'string' && typeof written !== 'number')
        throw new Error('a text is wanted')
      const value = String(written)
      if (option.pattern && !option.pattern.test(value))
        throw new Error(option.wanted ?? 'this text is not allowed here')
      return value
    },
  }
}

export function flag(option: { default: boolean; doc: string }): Option<boolean> {
  return {
    ...option,
    kind: 'flag',
    read(written) {
      if (written === true || written === 'true') return true
      if (written === false || written === 'false') return false
      throw new Error('true or false is wanted')
    },
  }
}

export function choice<const C extends readonly string[]>(option: {
  default: C[number]
  choices: C
  doc: string
}): Option<C[number]> {
  return {
    ...option,
    kind: 'choice',
    read(written) {
      if (option.choices.includes(written as string)) return written as C[number]
      throw new Error(`one of ${option.choices.join(', ')} is wanted`)
    },
  }
}

/** A list of texts; one text alone is a list of one. */
export function list(option: {
  default: readonly string[]
  doc: string
  max?: number
}): Option<readonly string[]> {
  return {
    ...option,
    kind: 'list',
    read(written) {
      const values = Array.isArray(written) ? written : [written]
      if (values.some((value) => typeof value !== 'string'))
        throw new Error('a list of texts is wanted')
      if (values.length > (option.max ?? 1000))
        throw new Error(`at most ${option.max ?? 1000} entries are allowed`)
      return values as string[]
    },
  }
}

function within(value: number, { min, max }: Bounds, show: (value: number) => string): number {
  if (min !== undefined && value < min) throw new Error(`at least ${show(min)} is wanted`)
  if (max !== undefined && value > max) throw new Error(`at most ${show(max)} is allowed`)
  return value
}
