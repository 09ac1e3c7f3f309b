// Rules of the house that a machine can check: which room may know which, no XEP in the core,
// budgets, names, heads. It reads the sources, not the build.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { findModules } from '../lib/core/loader.js'

const root = findRoot(dirname(fileURLToPath(import.meta.url)))

function findRoot(folder: string): string {
  return readdirSync(folder).includes('package.json') ? folder : findRoot(dirname(folder))
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const product = ['lib', 'modules', 'bin'].flatMap(sources)
const generated = (path: string): boolean => /^\/\/ Generated/m.test(read(path).slice(0, 400))

/** Room → rooms it may import from. */
const mayKnow: Record<string, readonly string[]> = {
  'lib/xmpp': ['lib/xmpp'],
  'lib/ops': ['lib/ops'],
  'lib/storage': ['lib/storage', 'lib/xmpp', 'lib/ops'],
  'lib/cluster': ['lib/cluster', 'lib/xmpp', 'lib/ops'],
  'lib/net': ['lib/net', 'lib/xmpp', 'lib/ops'],
  'lib/streams': ['lib/streams', 'lib/net', 'lib/xmpp', 'lib/ops'],
  'lib/core': [
    'lib/core',
    'lib/streams',
    'lib/net',
    'lib/cluster',
    'lib/storage',
    'lib/xmpp',
    'lib/ops',
  ],
  modules: [
    'modules',
    'lib/core',
    'lib/streams',
    'lib/net',
    'lib/cluster',
    'lib/storage',
    'lib/xmpp',
    'lib/ops',
  ],
  bin: [
    'bin',
    'lib/core',
    'lib/streams',
    'lib/net',
    'lib/cluster',
    'lib/storage',
    'lib/xmpp',
    'lib/ops',
    'modules',
  ],
}

function room(path: string): string {
  const parts = path.split('/')
  return parts[0] === 'lib' ? parts.slice(0, 2).join('/') : parts[0]!
}

function imports(path: string): string[] {
  const found = [...read(path).matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
  return found.map((match) => relative(root, resolve(root, dirname(path), match[1]!)))
}

test('dependencies point one way', (t) => {
  for (const path of product) {
    for (const imported of imports(path)) {
      t.ok(mayKnow[room(path)]?.includes(room(imported)), `${path} may know ${imported}`)
    }
  }
  t.end()
})

test('a module imports another only if it requires it', async (t) => {
  const heads = await findModules()
  for (const path of sources('modules')) {
    const own = moduleOf(path)
    for (const imported of imports(path).filter((target) => room(target) === 'modules')) {
      const other = moduleOf(imported)
      if (other === own) continue
      const head = heads.find(({ name }) => name === own)
      t.ok(
        head?.requires?.some(({ name }) => name === other),
        `${own} requires ${other}, which ${path} imports`,
      )
    }
  }
})

function moduleOf(path: string): string {
  return path.split('/')[1]!.replace(/\.(ts|js)$/, '')
}

/** What is loaded before anything runs: a type is nothing, `await import` comes later. */
function loadedWith(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen
  seen.add(path)
  for (const [, what] of read(path).matchAll(
    /^(?:import|export) (?!type )[^;'"]*? from '([^']+)'/gm,
  )) {
    const local = what!.startsWith('.')
    if (local) loadedWith(join(dirname(path), what!).replace(/\.js$/, '.ts'), seen)
    else seen.add(what!)
  }
  return seen
}

test('a start loads nothing that it may not need', (t) => {
  const heads = product.filter((path) => /^modules\/([^/]+)(\.ts|\/\1\.ts)$/.test(path))
  t.ok(heads.length > 25)
  const loaded = new Set(
    ['bin/commands/start.ts', ...heads].flatMap((path) => [...loadedWith(path)]),
  )
  t.ok(loaded.has('lib/core/server.ts'))
  for (const late of ['ioredis', 'pg', 'ws', 'yaml', 'node:cluster', 'modules/rooms/opening.ts'])
    t.notOk(loaded.has(late), `${late} is for those who use it`)
  t.end()
})

test('the core knows RFC 6120 and 6121 and no XEP', (t) => {
  for (const path of sources('lib/core')) t.notMatch(read(path), /XEP-?\d|urn:xmpp:/, path)
  t.end()
})

test('files and functions are short', (t) => {
  for (const path of product.filter((file) => !generated(file))) {
    const lines = read(path).trimEnd().split('\n').length
    t.ok(lines <= (path.startsWith('modules/rooms/') ? 250 : 300), `${path} has ${lines} lines`)
  }
  t.end()
})

test('names say what a thing is', (t) => {
  // A module has the plain name of what it does for people: private-data and contact-info are such names.
  const empty =
    /(^|\/)(index|common|misc|shared|base|types|data|info)(\.|\/|$)|(^|[-/])(utils?|helpers?|manager|handler|service)(\.|\/|$)/
  for (const path of product) {
    t.notMatch(path, empty, path)
    t.match(path, /^[a-z0-9/.-]+$/, `${path} is kebab-case`)
  }
  t.end()
})

test('every file opens with what it is', (t) => {
  for (const path of product) t.match(read(path), /^(#!.*\n)?\/\//, path)
  t.end()
})

test('secrets are never compared byte by byte with === (SEC-21), nothing guessable is drawn (SEC-26)', (t) => {
  const secret =
    /\b(\w*(secret|token|proof|hmac|digest|password|storedKey|serverKey)\w*)\s*[!=]==(?!\s*(?:undefined|null|''|0|true|false|'[a-z-]*'))/i
  for (const path of product) {
    const code = read(path).replace(/\/\/.*$/gm, '')
    t.notMatch(code, secret, path)
    t.notMatch(code, /Math\.random/, path)
  }
  t.end()
})

test('no SQL is built from text (SEC-63)', (t) => {
  for (const path of product) t.notMatch(read(path), /\.raw\(\s*`[^`]*\$\{/, path)
  t.end()
})

test('every module has a head that explains it and a test', async (t) => {
  const tests = sources('test/modules')
  for (const module of await findModules()) {
    t.match(module.name, /^[a-z][a-z0-9-]*$/)
    t.ok(module.summary.length > 10, `${module.name} has a summary`)
    for (const [name, option] of Object.entries(module.config ?? {})) {
      t.ok(option.doc.length > 10, `${module.name}.${name} is explained`)
      t.doesNotThrow(
        () => option.read(option.default),
        `the default of ${module.name}.${name} is allowed`,
      )
    }
    t.ok(
      tests.some((path) => path.startsWith(`test/modules/${module.name}`)),
      `${module.name} has a test`,
    )
  }
})
