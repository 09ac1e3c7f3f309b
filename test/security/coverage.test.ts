// No check is forgotten: each has a test of its name, over both ways in, and a row in the table that
// people read.

import { readFileSync } from 'node:fs'
import { test } from 'tap'
import { checks, filesOf, isNamed, limits, offline, titles } from './coverage.js'

test('every check and every limit is the name of a test', async (t) => {
  for (const check of [...checks, ...limits]) t.ok(filesOf(check).length > 0, `${check} has a test`)
})

test('every check of connections is made over TCP and over WebSocket', async (t) => {
  const all = titles().filter(({ file }) => file.startsWith('test/security/'))
  for (const check of checks.filter((name) => !offline.includes(name))) {
    const mine = all.filter(({ title }) => isNamed(title, check)).map(({ title }) => title)
    const over = (way: string): boolean =>
      mine.some(
        (title) => title.endsWith('; over both') || new RegExp(`over (${way}|\\$)`).test(title),
      )
    t.ok(over('TCP'), `${check} over TCP`)
    t.ok(over('WebSocket'), `${check} over WebSocket`)
  }
})

test('the table names every check, and only files that make it', async (t) => {
  const rows = readFileSync('docs/security-checks.md', 'utf8')
    .split('\n')
    .filter((line) => /^\| (SEC|LIM)-/.test(line))
  const listed = new Map(rows.map((row) => [row.split('|')[1]!.trim(), row]))
  for (const check of [...checks, ...limits]) {
    const files = [...(listed.get(check) ?? '').matchAll(/`(test\/[^`]+)`/g)].map(
      ([, file]) => file,
    )
    t.ok(files.length > 0, `${check} has a row`)
    const made = filesOf(check)
    for (const file of files) t.ok(made.includes(file!), `${file} makes ${check}`)
  }
})
