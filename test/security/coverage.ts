// Which tests carry the name of which security check, from the titles in the sources.
// `node build/test/security/coverage.js` prints the rows of docs/security-checks.md.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

/** Every check that must be there, and pass over TCP and WebSocket where it is about a connection */
export const checks: readonly string[] = [
  ...range(1, 12),
  ...range(20, 28),
  ...[30, 50, 51, 52, 53, 54, 55, 56, 57, 60, 62, 63, 64, 71, 72],
].map((number) => `SEC-${String(number).padStart(2, '0')}`)

/** Those that look at files and not at a connection */
export const offline: readonly string[] = ['SEC-72']

export const limits: readonly string[] = [
  'stanza-bytes',
  'elements',
  'depth',
  'attributes',
  'name',
  'unauthenticated-timeout',
  'login-attempts',
  'auth-failures',
  'sessions-per-account',
  'rate',
  'connections-per-address',
  'write-stall',
  'websocket-fragments',
  'registration',
  'archive-queries',
  'archive-page',
  'archive-preferences',
].map((name) => `LIM-${name}`)

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.test.ts') ? [path] : []
  })
}

const TITLE = /\b(?:test|overBoth)\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`)/g
/** Titles that are made in a loop take the name from a table above. */
const KEY = /^ {2}'(LIM-[a-z-]+)':/gm

/** Title → file, of everything under test/ */
export function titles(): { file: string; title: string }[] {
  return sources('test').flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    const found = [...text.matchAll(TITLE)].map(([whole, plain, template]) => {
      const both = whole.startsWith('overBoth') ? '; over both' : ''
      return { file, title: `${plain ?? template}${both}` }
    })
    const keys = [...text.matchAll(KEY)].map(([, name]) => ({ file, title: `${name}; over both` }))
    return [...found, ...keys]
  })
}

export function isNamed(title: string, check: string): boolean {
  return new RegExp(`\\b${check}(?![\\w-]*\\w)`).test(title)
}

export function filesOf(check: string): string[] {
  return [
    ...new Set(
      titles()
        .filter(({ title }) => isNamed(title, check))
        .map(({ file }) => file),
    ),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const check of [...checks, ...limits])
    console.log(
      `| ${check} | | ${filesOf(check)
        .map((file) => `\`${file}\``)
        .join(', ')} |`,
    )
}
