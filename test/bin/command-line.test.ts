// `tercet` without a server: what it understands, what it says when it does not, and its exit codes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { place } from './program.js'

test('tercet version prints the version, as JSON too', async (t) => {
  const { run } = place(t)
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  t.same(await run(['version']), { code: 0, out: `tercet ${version}\n`, err: '' })
  t.equal(JSON.parse((await run(['version', '--json'])).out).version, version)
  t.equal((await run(['--version'])).out, `tercet ${version}\n`)
})

test('tercet check tells all faults with their places and ends with 4', async (t) => {
  const { run } = place(t, 'listn:\n  c2s: 5222\nlimits: of\nmodules:\n  pong: { a: 1 }\n')
  const { code, out, err } = await run(['check'])
  t.equal(code, 4)
  t.equal(out, '')
  t.match(err, /^tercet\.yaml:1:1: listn: there is no key listn: did you mean listen\?$/m)
  t.match(err, /^tercet\.yaml:3:9: limits: one of default, off is wanted$/m)
  t.match(err, /^tercet\.yaml:5:3: modules\.pong: there is no module pong: did you mean ping\?$/m)
  t.match(err, /^> 3 \| limits: of\n {4}\| {9}\^$/m)
  t.match(err, /^3 faults in the configuration$/m)
  t.notMatch(err, /\u001b/, 'no colours where nobody looks')
  const json = await run(['check', '--json'])
  t.equal(json.code, 4)
  t.same(
    JSON.parse(json.out).faults.map(({ line, column }: { line: number; column: number }) => [
      line,
      column,
    ]),
    [
      [1, 1],
      [3, 9],
      [5, 3],
    ],
  )
})

test('tercet check reads real heads, --config, --set and the environment', async (t) => {
  const { run, folder } = place(t)
  t.match(await run(['check']), { code: 0, out: /the defaults .*no fault/ })
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'sub', 'mine.yaml'), 'modules: { ping: { silence: 1 hour } }\n')
  t.match(await run(['check', '--config', 'sub/mine.yaml']), {
    code: 0,
    out: /sub\/mine\.yaml: no fault/,
  })
  const set = await run(['check', '--config=sub/mine.yaml', '--set', 'modules.ping.silence=1 ms'])
  t.match(set, {
    code: 4,
    err: /^--set modules\.ping\.silence: modules\.ping\.silence: at least 10 seconds/m,
  })
  const env = await run(['check'], '', { TERCET_LISTEN__C2S: 'x' })
  t.match(env, { code: 4, err: /^TERCET_LISTEN__C2S: listen\.c2s: / })
  t.match(await run(['check', '--config', 'none.yaml']), {
    code: 4,
    err: /none\.yaml: it cannot be read/,
  })
})

test('tercet config print shows what is in force and no secret', async (t) => {
  const { run } = place(
    t,
    'database: postgres://romeo:hunter2@db/tercet\nmodules: { ping: false }\n',
  )
  const { code, out } = await run(['config', 'print', '--set', 'listen.c2s=[1, 2]', '--json'])
  t.equal(code, 0)
  const values = JSON.parse(out)
  t.equal(values.database, 'postgres://romeo:***@db/tercet')
  t.same(values.listen.c2s, [1, 2])
  t.equal(values.registration, 'invite')
  t.equal(values.modules.ping, false)
  t.match((await run(['config', 'print'])).out, /^ {2}c2s: 5222$/m)
})

test('what it printed is a configuration again', async (t) => {
  const { run, folder } = place(
    t,
    'hosts: { a.example: { registration: open }, b.example: {} }\nlisten: { http: [1, 2] }\n',
  )
  const { out } = await run(['config', 'print'])
  writeFileSync(join(folder, 'again.yaml'), out)
  t.match(await run(['check', '--config', 'again.yaml']), { code: 0 })
  t.equal((await run(['config', 'print', '--config', 'again.yaml'])).out, out)
})

test('what is not understood ends with 2 and names the nearest', async (t) => {
  const { run } = place(t)
  t.match(await run(['strat']), { code: 2, err: /did you mean tercet start\?/ })
  t.match(await run(['check', '--jsn']), { code: 2, err: /no flag --jsn: did you mean --json\?/ })
  t.match(await run(['check', '--config']), {
    code: 2,
    err: /--config wants a value: --config FILE/,
  })
  t.match(await run(['start', '--log', 'loud']), {
    code: 2,
    err: /one of debug, info, warn, error/,
  })
  t.match(await run(['version', '--json=1']), { code: 2, err: /takes no value/ })
  t.match(await run(['version', 'now']), { code: 2, err: /takes no "now"/ })
  t.match(await run(['pipeline']), { code: 2, err: /which hook\?/ })
})

test('what needs the server ends with 3 and says how to start it', async (t) => {
  const { run } = place(t)
  for (const args of [['user', 'list'], ['status'], ['reload'], ['pipeline', 'message:sent']]) {
    t.match(
      await run(args),
      { code: 3, err: /not running: start it with tercet start/ },
      args.join(' '),
    )
  }
})

test('tercet modules lists what is built in where no server runs', async (t) => {
  const { run } = place(t)
  const { code, out } = await run(['modules', '--json'])
  t.equal(code, 0)
  t.ok(
    JSON.parse(out).some(
      ({ name, xeps }: { name: string; xeps: string[] }) =>
        name === 'ping' && xeps.includes('XEP-0199'),
    ),
  )
})

test('help names every command and says what exit codes mean', async (t) => {
  const { run } = place(t)
  const { code, out } = await run([])
  t.equal(code, 0)
  for (const name of [
    'start',
    'demo',
    'check',
    'config print',
    'reload',
    'status',
    'modules',
    'pipeline',
    'version',
  ]) {
    t.match(out, new RegExp(`^  ${name}`, 'm'))
  }
  t.match(out, /4 {2}the configuration has faults/)
  t.match((await run(['start', '--help'])).out, /--set KEY=VALUE/)
  t.match((await run(['help', 'check'])).out, /^tercet check \[flags\]/)
})
