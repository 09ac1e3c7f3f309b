// What the suite leaves out for speed hides nothing: an error that nobody caught fails the file.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'

const preload = new URL('./without-domains.js', import.meta.url).href

const failing = (how: string) => `
import { test } from 'tap'
test('waits', async (t) => {
  setTimeout(() => { ${how} }, 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.ok(true)
})`

test('an error that nobody caught fails its file, and says what it was', (t) => {
  const folder = t.testdir({
    'thrown.mjs': failing(`throw new Error('thrown ' + 'late')`),
    'rejected.mjs': failing(`void Promise.reject(new Error('rejected ' + 'late'))`),
    'fine.mjs': failing(''),
  })
  const run = (name: string) =>
    spawnSync(process.execPath, [`--import=${preload}`, join(folder, `${name}.mjs`)], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    })
  for (const how of ['thrown', 'rejected']) {
    const { status, stdout, stderr } = run(how)
    t.not(status, 0)
    t.match(stdout, /^not ok/m)
    t.match(stdout + stderr, `${how} late`)
  }
  t.equal(run('fine').status, 0)
  t.end()
})
