// Commands of modules from the command line: what they take, which host they mean, modules of one's own.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { place, quietConfig } from './program.js'

test('a password is never an argument, and is not asked where nobody can answer', async (t) => {
  const { yaml } = await quietConfig()
  const { start, run } = place(t, yaml)
  await start(['start'])
  t.match(await run(['user', 'add', 'romeo@localhost', '--password', 'x']), {
    code: 2,
    err: /never an argument/,
  })
  t.match(await run(['user', 'add', 'romeo@localhost']), {
    code: 2,
    err: /--password-stdin or --generate/,
  })
  t.match(await run(['user', 'add', 'romeo@localhost', '--password-stdin'], ''), {
    code: 2,
    err: /brought no password/,
  })
  t.match(await run(['user', 'add']), { code: 2, err: /tercet user add ADDRESS/ })
  t.match(await run(['user', 'lst']), { code: 2, err: /did you mean tercet user list\?/ })
  t.match(await run(['user', 'list', 'now']), { code: 2, err: /one word too many/ })
  t.match(await run(['usr', 'list']), { code: 2, err: /did you mean tercet user\?/ })
  t.match(await run(['session', 'kick', 'nobody@localhost']), { code: 1, err: /no session/ })
})

test('several hosts: the address says which, --host where there is none', async (t) => {
  const { yaml } = await quietConfig('hosts: { a.example: {}, b.example: {} }\n')
  const { start, run } = place(t, yaml)
  await start(['start'])
  t.match(await run(['user', 'add', 'romeo@b.example', '--generate']), { code: 0 })
  t.match(await run(['user', 'list']), {
    code: 2,
    err: /which host\? Add --host with one of a\.example, b\.example/,
  })
  t.match(await run(['user', 'list', '--host', 'b.example', '--json']), {
    code: 0,
    out: /romeo@b\.example/,
  })
})

test('a module of the operator is loaded from beside the configuration, its commands too', async (t) => {
  const { yaml } = await quietConfig('modules: { ./greeting.mjs: { words: hello } }\n')
  const { start, run, folder } = place(t, yaml)
  writeFileSync(join(folder, 'greeting.mjs'), greeting)
  await start(['start'])
  t.match(await run(['greeting', 'say']), { code: 0, out: 'hello\n' })
  t.match((await run(['modules'])).out, /greeting +Says a word/)
  t.match((await run(['help'])).out, /^ {2}greeting say +Says it$/m)
  writeFileSync(join(folder, 'tercet.yaml'), yaml.replace('words', 'wrds'))
  t.match(await run(['check']), {
    code: 4,
    err: /there is no option of greeting wrds: did you mean words\?/,
  })
})

const greeting = `export default {
  name: 'greeting',
  summary: 'Says a word',
  config: { words: { kind: 'text', default: 'hi', doc: 'What to say', read: String } },
  setup: ({ config }) => ({
    commands: [{ name: 'greeting say', summary: 'Says it', allow: 'admin', parameters: {}, run: () => ({ note: config.words }) }],
  }),
}
`
