// The reader under texts that nobody wrote by hand: it never crashes, and every fault has a place.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { readConfig } from '../../lib/ops/config.js'
import type { ConfigAnswer, ConfigQuestion } from '../../lib/ops/config.js'
import { readYaml } from '../../lib/ops/config-yaml.js'
import { editDistance, nearest } from '../../lib/ops/nearest.js'
import { duration, list, text } from '../../lib/ops/options.js'

const heads = [
  {
    name: 'client-state',
    config: {
      hold: duration({ default: '1 minute', min: '1 s', max: '1 hour', doc: 'How long.' }),
      whom: list({ default: [], doc: 'Whom.' }),
    },
  },
  { name: 'mail', config: { password: text({ default: '', doc: 'Secret.' }) } },
]
const names = { domain: (name: string) => name.toLowerCase(), address: (name: string) => name }

type Teardown = { teardown(call: () => void): void }

function folderFor(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-config-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  return folder
}

async function read(
  t: Teardown,
  yaml: string,
  more: Partial<ConfigQuestion> & { folder?: string } = {},
): Promise<ConfigAnswer> {
  const folder = more.folder ?? folderFor(t)
  writeFileSync(join(folder, 'tercet.yaml'), yaml)
  return readConfig({ env: {}, cwd: folder, heads, names, ...more })
}

test('the nearest name is the one that was meant, or none', (t) => {
  const known = ['registration', 'encryption', 'admins', 'c2s', 'c2s_tls']
  t.equal(nearest('registraton', known), 'registration')
  t.equal(nearest('c2s-tls', known), 'c2s_tls')
  t.equal(nearest('c2sTLS', known), 'c2s_tls')
  t.equal(nearest('amdins', known), 'admins')
  t.equal(nearest('weather', known), undefined)
  t.equal(nearest('', known), undefined)
  t.equal(editDistance('ab', 'ba'), 1)
  t.equal(editDistance('kitten', 'sitting'), 3)
  t.end()
})

test('distance is symmetric, zero for equals and at most the longer length', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b)
      return (
        distance === editDistance(b, a) &&
        (distance === 0) === (a === b) &&
        distance <= Math.max(a.length, b.length)
      )
    }),
  )
  t.end()
})

test('no text makes the reader crash, and every fault has a message', async (t) => {
  const words = [
    'domain',
    'listen',
    'c2s',
    'modules',
    'mail',
    'hosts',
    'tls',
    'admins',
    '__proto__',
    'constructor',
    'redis',
  ]
  const marks = [
    ': ',
    '\n',
    '\n  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '&a ',
    '*a',
    '!!x ',
    '"',
    "'",
    '|',
    '>',
    '#',
    '0',
    'false',
    'null',
    '\t',
    '---\n',
    '? ',
    '<<',
  ]
  const piece = fc.oneof(
    fc.constantFrom(...words, ...marks),
    fc.string({ maxLength: 4, unit: 'binary' }),
  )
  const folder = folderFor(t)
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
      const answer = await read(t, pieces.join(''), { folder })
      const complete = answer.faults.every(
        ({ message, file }) => message !== '' && file !== undefined,
      )
      return complete && (answer.settings === undefined) === answer.faults.length > 0
    }),
    { numRuns: 400 },
  )
})

test('any well-formed value under any key is either taken or refused with a place', async (t) => {
  const key = fc.constantFrom(
    'domain',
    'listen',
    'c2s',
    'modules',
    'mail',
    'hosts',
    'tls',
    'admins',
    'toString',
    'key',
    'proxies',
    'password',
  )
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.string({ maxLength: 5 }),
        fc.double(),
      ),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  const folder = folderFor(t)
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, tree, { maxKeys: 5 }), async (written) => {
      const answer = await read(t, JSON.stringify(written), { folder })
      return answer.faults.every(
        ({ line, column, path }) => line === 1 && (column ?? 0) > 0 && path !== '',
      )
    }),
    { numRuns: 300 },
  )
})

test('a tree knows its places and has no prototype', async (t) => {
  const { node } = await readYaml({ text: 'a:\n  - b: 1\n', file: 'x' })
  t.equal(node.kind, 'map')
  const { plainValue } = await import('../../lib/ops/config-tree.js')
  t.equal(Object.getPrototypeOf(plainValue(node)), null)
})
