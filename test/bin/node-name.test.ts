// The name of a node: the same after a restart, never that of another one.

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { nodeName } from '../../bin/node-name.js'

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tercet-node-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

test('a node keeps its name; another folder of the same machine is another node', async (t) => {
  const own = folder(t)
  const name = nodeName(own, 'Verona')
  t.match(name, /^verona-[0-9a-f]{10}$/)
  t.equal(nodeName(own, 'Verona'), name)
  t.not(nodeName(folder(t), 'Verona'), name)
})

test('a copy of a data folder is another node', async (t) => {
  const [own, copy] = [folder(t), folder(t)]
  const name = nodeName(own, 'verona')
  cpSync(own, copy, { recursive: true })
  const other = nodeName(copy, 'verona')
  t.not(other, name)
  t.equal(nodeName(copy, 'verona'), other, 'which it stays')
})

test('whatever a machine is called, its name has no blanks and an end', async (t) => {
  const own = folder(t)
  t.match(nodeName(own, `my machine ${'x'.repeat(300)}`), /^my-machine-x+-[0-9a-f]{10}$/)
  t.ok(nodeName(own, 'x'.repeat(300)).length < 64)
  t.match(nodeName(own, ''), /^node-/)
})

test('a file that was written half is written again', async (t) => {
  const own = folder(t)
  writeFileSync(join(own, 'node'), 'abc')
  const name = nodeName(own, 'verona')
  t.match(name, /^verona-[0-9a-f]{10}$/)
  t.equal(nodeName(own, 'verona'), name)
})
