// Rows for people: one thing as a list of its fields, several as a table. `--json` does without.

import type { Row } from '../lib/core/commands.js'
import { clean } from './terminal.js'
import type { Terminal } from './terminal.js'

export function printRows(terminal: Terminal, rows: readonly Row[]): void {
  if (rows.length === 0) terminal.err(terminal.errStyle('dim', 'nothing to show'))
  else if (rows.length === 1) printThing(terminal, rows[0]!)
  else printTable(terminal, rows)
}

function printThing(terminal: Terminal, row: Row): void {
  const names = Object.keys(row)
  const width = Math.max(...names.map(columnWidth))
  for (const name of names)
    terminal.out(`${terminal.style('dim', pad(name, width))}  ${cell(row[name])}`)
}

export function printTable(terminal: Terminal, rows: readonly Row[]): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const texts = rows.map((row) => names.map((name) => cell(row[name])))
  const widths = names.map((name, at) =>
    Math.max(columnWidth(name), ...texts.map((row) => columnWidth(row[at]!))),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((text, at) => pad(text, widths[at]!))
      .join('  ')
      .trimEnd()
  terminal.out(terminal.style('bold', line(names)))
  for (const row of texts) terminal.out(line(row))
}

function cell(value: Row[string] | undefined): string {
  if (value === null || value === undefined) return '-'
  if (Array.isArray(value)) return value.length > 0 ? clean(value.join(', ')) : '-'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return clean(String(value)).replaceAll('\n', '�')
}

/** Wide characters take two columns; that is as exact as a terminal is. */
export function columnWidth(text: string): number {
  let width = 0
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1
  }
  return width
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnWidth(text)))
}
