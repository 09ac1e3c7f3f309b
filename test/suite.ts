// The whole suite, or the files that are named: each test file in a process of its own, as many at a time as
// there are cores and one more, because some wait for other processes. `tap` itself would run them too, but
// it loads its hooks into every process, every thread and every program that a test starts, for coverage
// that nobody asks for; that is half of all the work. Nor does anybody follow every promise
// (without-domains.ts). What takes long begins first.

import { readdirSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { newCluster } from './world/postgres.js'

/** For a file, and for a test in it: a machine may have other work. */
const SECONDS = 120
const folder = fileURLToPath(new URL('.', import.meta.url))

/** Those that start programs and databases */
const long = ['security', 'bin', 'storage', 'cluster', 'scenarios', 'clients', 'modules', 'net']

function files(): string[] {
  const all = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const tests = all.filter((file) => file.endsWith('.test.js')).sort()
  const rank = (file: string): number => {
    const at = long.findIndex((first) => file.startsWith(`${first}/`))
    return at < 0 ? long.length : at
  }
  return tests.sort((a, b) => rank(a) - rank(b)).map((file) => join(folder, file))
}

const given = process.argv.slice(2)
const chosen = given.length > 0 ? given : files()
const { folder: cluster, env: postgres } = await newCluster()
t.teardown(() => rmSync(cluster, { recursive: true }))
const env = { ...process.env, ...postgres, TAP_TIMEOUT: String(SECONDS) }

t.setTimeout(0)
t.jobs = availableParallelism() + 1
t.plan(chosen.length)
for (const file of chosen) {
  const options = { name: relative(process.cwd(), file), buffered: true, env }
  // The shell takes the hooks out of the environment again.
  const plain = [
    '-c',
    'export NODE_OPTIONS="$1"; shift; exec "$@"',
    'sh',
    process.env.NODE_OPTIONS ?? '',
  ]
  const light = new URL('./without-domains.js', import.meta.url).href
  const command = [process.execPath, '--enable-source-maps', `--import=${light}`, file]
  t.spawn('/bin/sh', [...plain, ...command], { ...options, timeout: SECONDS * 1000 })
}
