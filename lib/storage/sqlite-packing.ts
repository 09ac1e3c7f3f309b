// Rows on their way to the SQLite thread. Copying thousands of small arrays costs more than writing the
// rows: so all numbers of a statement travel in one array and all texts in one string.

import type { SqliteValue } from './sqlite-protocol.js'

type Rows = readonly (readonly SqliteValue[])[]

export interface PackedRows {
  readonly sql: string
  readonly counted: boolean
  readonly rows: number
  readonly columns: number
  /** A number as it is, the length of a text; NaN for nothing, Infinity for one of `others` */
  readonly numbers: Float64Array
  /** For each column whether it holds text; undefined where rows differ in that */
  readonly texts: readonly boolean[]
  readonly text: string
  readonly others: readonly SqliteValue[]
}

export function pack(sql: string, runs: Rows, counted = false): PackedRows {
  const columns = runs[0]?.length ?? 0
  const numbers = new Float64Array(runs.length * columns)
  const texts = (runs[0] ?? []).map((value) => typeof value === 'string')
  const others: SqliteValue[] = []
  let text = ''
  let at = 0
  for (const run of runs) {
    for (let column = 0; column < columns; column++, at++) {
      const value = run[column]!
      if (texts[column] && typeof value === 'string') {
        text += value
        numbers[at] = value.length
      } else if (typeof value === 'number' && Number.isFinite(value) && !texts[column]) {
        numbers[at] = value
      } else if (value === null) {
        numbers[at] = Number.NaN
      } else {
        others.push(value)
        numbers[at] = Number.POSITIVE_INFINITY
      }
    }
  }
  return { sql, counted, rows: runs.length, columns, numbers, texts, text, others }
}

/** Calls `use` with each row; the array is the same every time. */
export function unpack(packed: PackedRows, use: (row: SqliteValue[], at: number) => void): void {
  const { rows, columns, numbers, texts, text, others } = packed
  const row: SqliteValue[] = new Array(columns).fill(null)
  let from = 0
  let other = 0
  let at = 0
  for (let number = 0; number < rows; number++) {
    for (let column = 0; column < columns; column++, at++) {
      const value = numbers[at]!
      if (Number.isNaN(value)) row[column] = null
      else if (value === Number.POSITIVE_INFINITY) row[column] = others[other++]!
      else if (texts[column]) row[column] = text.slice(from, (from += value))
      else row[column] = value
    }
    use(row, number)
  }
}
