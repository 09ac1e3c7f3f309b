// A module in 20 lines, added by a file and a line of configuration: the one of ARCHITECTURE.md is
// compiled by the project's own rules and runs.

import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { world } from '../world/world.js'

const built = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const root = above(built)

function above(folder: string): string {
  return existsSync(join(folder, 'tsconfig.json')) ? folder : above(dirname(folder))
}

function shown(): string {
  const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const [, code] = /<!-- module in 20 lines:.*-->\n```ts\n([\s\S]*?)```/.exec(text) ?? []
  if (!code) throw new Error('ARCHITECTURE.md shows no module')
  return code
}

/** Compiles it as if it stood in modules/, and puts it beside the built lib/. */
function compiled(t: Test, code: string): string {
  const folder = mkdtempSync(join(built, 'twenty-lines-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'modules'))
  writeFileSync(join(folder, 'modules', 'greeting.ts'), code)
  const compilerOptions = {
    rootDir: root,
    rootDirs: [root, folder],
    outDir: join(folder, 'out'),
    noEmit: false,
    incremental: false,
  }
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['modules'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  compile(folder)
  const path = join(folder, 'greeting.js')
  copyFileSync(join(folder, 'out', relative(root, folder), 'modules', 'greeting.js'), path)
  return path
}

function compile(folder: string): void {
  const require = createRequire(import.meta.url)
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc')
  try {
    // The test runner's own loader, which it puts into NODE_OPTIONS, cannot load the compiler.
    execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, compiler, '-p', folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(`${stdout}${stderr}${error}`)
  }
}

test('it has 20 lines', async (t) => {
  const lines = shown()
    .split('\n')
    .filter((line) => line.trim() !== '')
  t.ok(lines.length <= 20, `${lines.length} lines`)
})

test('added by a file and a line of configuration, it does what it says', async (t) => {
  const path = compiled(t, shown())
  const options = { [path]: { words: 'Good morrow' } }
  const { juliet, server } = await world(t, { modules: ['presence'], options })
  t.ok(server.hosts.get('capulet.example')?.modules.has('greeting'))
  await juliet.comesOnline()
  await juliet.finds("<message from='capulet.example'><body>Good morrow</body></message>")
})

test('without its option it has a default; without its line it is not there', async (t) => {
  const path = compiled(t, shown())
  const greeted = await world(t, { modules: ['presence'], options: { [path]: {} } })
  await greeted.juliet.comesOnline()
  await greeted.juliet.finds('<message><body>Welcome</body></message>')
  const { server } = await world(t, { modules: ['presence'] })
  t.notOk(server.hosts.get('capulet.example')?.modules.has('greeting'))
})
