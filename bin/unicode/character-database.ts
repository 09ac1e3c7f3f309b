// Reads the files of the Unicode Character Database, as published, into one property per array slot.
// What follows from them for addresses is derive-categories.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const CODE_POINTS = 0x110000

export interface CharacterDatabase {
  version: string
  /** Each array has one slot per code point; '' is "not in the file". */
  category: string[]
  bidi: string[]
  joining: string[]
  script: string[]
  hangul: string[]
  combining: Uint8Array
  defaultIgnorable: Uint8Array
  noncharacter: Uint8Array
  whiteSpace: Uint8Array
  lower: Map<number, string>
  fold: Map<number, string>
  /** Full-width and half-width forms to what they are a width of. */
  width: Map<number, string>
}

/** @param folder with UnicodeData.txt and the files beside it */
export function readCharacterDatabase(folder: string): CharacterDatabase {
  const rows = (file: string) => parseRows(readFileSync(join(folder, file), 'utf8'))
  const propList = rows('PropList.txt')
  return {
    version: readVersion(folder),
    category: column(rows('extracted/DerivedGeneralCategory.txt')),
    bidi: column(rows('extracted/DerivedBidiClass.txt')),
    joining: column(rows('extracted/DerivedJoiningType.txt')),
    script: column(rows('Scripts.txt')),
    hangul: column(rows('HangulSyllableType.txt')),
    combining: Uint8Array.from(column(rows('extracted/DerivedCombiningClass.txt')), Number),
    defaultIgnorable: flag(rows('DerivedCoreProperties.txt'), 'Default_Ignorable_Code_Point'),
    noncharacter: flag(propList, 'Noncharacter_Code_Point'),
    whiteSpace: flag(propList, 'White_Space'),
    lower: lowerCase(rows('UnicodeData.txt'), rows('SpecialCasing.txt')),
    fold: folding(rows('CaseFolding.txt')),
    width: widths(rows('UnicodeData.txt')),
  }
}

type Row = string[]

/** The fields of each line, trimmed, without comments. */
export function parseRows(file: string): Row[] {
  return file
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .map((line) => line.split(';').map((field) => field.trim()))
}

export function text(codePoints: string): string {
  return String.fromCodePoint(...codePoints.split(' ').map((code) => Number.parseInt(code, 16)))
}

function readVersion(folder: string): string {
  const head = readFileSync(join(folder, 'PropList.txt'), 'utf8').split('\n', 1)[0] ?? ''
  const version = /PropList-([\d.]+)\.txt/.exec(head)?.[1]
  if (version === undefined) throw new Error(`${folder}/PropList.txt does not name its version`)
  return version
}

function range(field: string): [number, number] {
  const [first, last] = field.split('..').map((code) => Number.parseInt(code, 16))
  return [first!, last ?? first!]
}

function column(rows: Row[]): string[] {
  const values = new Array<string>(CODE_POINTS).fill('')
  for (const [codes, value] of rows) values.fill(value!, range(codes!)[0], range(codes!)[1] + 1)
  return values
}

function flag(rows: Row[], property: string): Uint8Array {
  const values = new Uint8Array(CODE_POINTS)
  for (const [codes, value] of rows) {
    if (value === property) values.fill(1, range(codes!)[0], range(codes!)[1] + 1)
  }
  return values
}

/** The unconditional mappings of SpecialCasing.txt stand before the simple ones. */
function lowerCase(data: Row[], special: Row[]): Map<number, string> {
  const map = new Map<number, string>()
  for (const row of data) if (row[13]) map.set(Number.parseInt(row[0]!, 16), text(row[13]))
  for (const [code, lower, , , condition] of special) {
    if (condition === '' && lower !== code) map.set(Number.parseInt(code!, 16), text(lower!))
  }
  return map
}

function folding(rows: Row[]): Map<number, string> {
  const full = rows.filter(([, status]) => status === 'C' || status === 'F')
  return new Map(full.map(([code, , folded]) => [Number.parseInt(code!, 16), text(folded!)]))
}

function widths(data: Row[]): Map<number, string> {
  const map = new Map<number, string>()
  for (const row of data) {
    const decomposition = /^<(?:wide|narrow)> (.*)/.exec(row[5] ?? '')?.[1]
    if (decomposition) map.set(Number.parseInt(row[0]!, 16), text(decomposition))
  }
  return map
}
