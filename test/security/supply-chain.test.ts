// SEC-72: few packages, each one known, pinned and checked by its hash. Known advisories are asked
// for where there is a network (`npm audit`), not here.

import { test } from 'tap'
import { allPackages, billOfMaterials, manifest, runtimePackages } from './packages.js'

/** Package → what it is for. Who adds one adds it here, with the reason. */
const wanted: Record<string, string> = {
  '@photostructure/sqlite': 'SQLite, the default database',
  commander: 'the command line',
  knex: 'queries for both databases',
  ltx: 'elements',
  pg: 'PostgreSQL',
  ioredis: 'many nodes',
  nodemailer: 'mail to people who are away',
  'converse.js': 'the web client',
  ws: 'WebSocket',
  yaml: 'the configuration',
}

/** Packages with an install script → why the product runs without it. */
const scripts: Record<string, string> = {
  '@photostructure/sqlite': 'only looks for the binary that is inside the package',
}

test('SEC-72: the product depends on what is known, and on nothing else', async (t) => {
  for (const name of Object.keys(manifest().dependencies)) t.ok(name in wanted, name)
})

test('SEC-72: every version is one version', async (t) => {
  const { dependencies, devDependencies } = manifest()
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    t.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
  const locked = new Map(allPackages().map(({ name, version }) => [`${name} ${version}`, true]))
  for (const [name, version] of Object.entries(dependencies))
    t.ok(locked.has(`${name} ${version}`), `${name} is locked as it is wanted`)
})

test('SEC-72: everything is checked by its hash, and comes from wherever the installer looks', async (t) => {
  for (const { name, integrity, resolved, link } of allPackages()) {
    t.notOk(link, name)
    t.match(integrity, /^sha512-/, name)
    t.equal(resolved, undefined, `${name} names no registry`)
  }
})

test('SEC-72: nothing unknown runs when the product is installed', async (t) => {
  const running = runtimePackages().filter(({ hasInstallScript }) => hasInstallScript)
  t.same(
    running.map(({ name }) => name).filter((name) => !(name in scripts)),
    [],
  )
})

test('SEC-72: the list of what is inside can be printed, with free licences only', async (t) => {
  const lines = billOfMaterials().split('\n')
  t.ok(lines.length >= Object.keys(manifest().dependencies).length)
  t.ok(lines.length < 80, `${lines.length} packages`)
  for (const line of lines)
    t.match(
      line,
      /^\S+ \d\S* .*\b(MIT|ISC|BSD-[23]-Clause|Apache-2\.0|0BSD|Unlicense|BlueOak-1\.0\.0)\b.* sha512-/,
    )
})
