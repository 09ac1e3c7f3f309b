// The table of use cases that people read names tests that are there, and every use case of XEP-0045.

import { readFileSync } from 'node:fs'
import { test } from 'tap'

const rows = readFileSync('docs/rooms.md', 'utf8')
  .split('\n')
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))

/** Leaves of §6 to §11 of the text */
const sections = [
  ...numbered('6', 7),
  '7.1',
  ...numbered('7.2', 18),
  ...['7.3', '7.4', '7.5', '7.6', '7.7', '7.8.1', '7.8.2', '7.9', '7.10'],
  ...['7.11', '7.12', '7.13', '7.14'],
  ...numbered('8', 6),
  ...numbered('9', 9),
  ...numbered('10.1', 3),
  ...['10.2', '10.2.1', '10.3', '10.4', '10.5', '10.6', '10.7', '10.8', '10.9'],
  ...numbered('11', 2),
]

const codes = '100 101 102 103 104 110 170 171 172 173 201 210 301 303 307 321 322 332 333'.split(
  ' ',
)

function numbered(section: string, last: number): string[] {
  return Array.from({ length: last }, (_, at) => `${section}.${at + 1}`)
}

test('the table of rooms has every use case and every status code (XEP-0045)', async (t) => {
  const listed = new Set(rows.flatMap(([, first = '']) => first.split(', ')))
  for (const one of [...sections, ...codes]) t.ok(listed.has(one), one)
})

test('each test that the table of rooms names is there', async (t) => {
  let named = 0
  for (const row of rows) {
    const found = /`(test\/[^`]+)`: (.+)/.exec(row.at(-2) ?? '')
    if (!found) continue
    named++
    t.ok(readFileSync(found[1]!, 'utf8').includes(found[2]!), `${found[1]}: ${found[2]}`)
  }
  t.ok(named > 80)
})
