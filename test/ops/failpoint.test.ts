// Failpoints act in a process that was started with the variable, at the time it names, and nowhere
// else; each case is a process of its own.

import { spawnSync } from 'node:child_process'
import { test } from 'tap'

const file = new URL('../../lib/ops/failpoint.js', import.meta.url).href

function run(code: string, env: Record<string, string> = {}) {
  const { TERCET_FAILPOINT: _, TERCET_BREAK: __, ...clean } = process.env
  const text = `import { broken, failpoint } from ${JSON.stringify(file)}\n${code}`
  const arguments_ = ['--input-type=module', '-e', text]
  const options = { env: { ...clean, ...env }, encoding: 'utf8' } as const
  return spawnSync(process.execPath, arguments_, options)
}

const thrice = `for (let i = 1; i <= 3; i++) { failpoint('after-commit'); console.log(i) }`

test('the process is killed when the named place is reached for the given time', async (t) => {
  const { signal, stdout } = run(thrice, { TERCET_FAILPOINT: 'after-commit:3' })
  t.equal(signal, 'SIGKILL')
  t.equal(stdout, '1\n2\n')
})

test('without the variable, for another name, a later time or nonsense nothing happens', async (t) => {
  const values = [
    undefined,
    '',
    'before-commit:1',
    'after-commit:4',
    'after-commit:0',
    'after-commit',
  ]
  for (const value of values) {
    const { signal, status, stdout } = run(
      thrice,
      value === undefined ? {} : { TERCET_FAILPOINT: value },
    )
    t.same([signal, status, stdout], [null, 0, '1\n2\n3\n'], String(value))
  }
})

test('a promise is broken only where that was asked for', async (t) => {
  const code = `console.log(broken('ack-early'))`
  t.equal(run(code).stdout, 'false\n')
  t.equal(run(code, { TERCET_BREAK: '' }).stdout, 'false\n')
  t.equal(run(code, { TERCET_BREAK: 'ack-early' }).stdout, 'true\n')
})
