// Where configuration comes from besides its file: --set, the environment, secrets, modules of
// one's own.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { readConfig } from '../../lib/ops/config.js'
import { findConfig } from '../../lib/ops/config-files.js'
import type { ConfigAnswer, ConfigQuestion } from '../../lib/ops/config.js'
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

function passwordOf({ settings }: ConfigAnswer): unknown {
  const mail = settings?.hosts[0]?.modules.mail
  return mail ? mail.password : undefined
}

const shown = ({ faults }: ConfigAnswer) =>
  faults.map(({ file, path, message }) => `${file} ${path}: ${message}`)

test('--set wins over the environment, which wins over the file', async (t) => {
  const yaml = 'registration: closed\nlimits: off\ndomain: file.example\n'
  const env = { TERCET_DOMAIN: 'env.example', TERCET_LIMITS: 'default', HOME: '/' }
  const answer = await read(t, yaml, { env, set: ['domain=set.example'] })
  t.same(answer.faults, [])
  t.equal(answer.settings?.hosts[0]?.domain, 'set.example')
  t.equal(answer.settings?.limits, 'default')
  t.equal(answer.settings?.hosts[0]?.registration, 'closed')
})

test('overrides reach into sections, lists and names with hyphens and dots', async (t) => {
  const answer = await read(
    t,
    'modules: { client-state: { whom: [a] }, mail: false }\nhosts: { a.example: {} }\n',
    {
      env: { TERCET_LISTEN__C2S: '[::1]:7001', TERCET_MODULES__CLIENT_STATE__HOLD: '5 s' },
      set: [
        'listen.http=[7002, 7003]',
        'hosts."b.example".registration=open',
        'modules.mail.password=[a: "b',
      ],
    },
  )
  t.same(answer.faults, [])
  t.same(answer.settings?.listen.c2s, [{ address: '::1', port: 7001 }])
  t.same(
    answer.settings?.listen.http.map(({ port }) => port),
    [7002, 7003],
  )
  t.same(
    answer.settings?.hosts.map(({ domain, registration }) => `${domain} ${registration}`),
    ['a.example invite', 'b.example open'],
  )
  t.same({ ...answer.settings?.hosts[0]?.modules['client-state'] }, { whom: ['a'], hold: '5 s' })
  t.same({ ...answer.settings?.hosts[0]?.modules.mail }, { password: '[a: "b' })
})

test('a fault in an override names the override', async (t) => {
  const answer = await read(t, '', {
    env: { TERCET_ENCRYPTION: 'none', TERCET_LISTEN__C2T: '1' },
    set: ['listen.c2s=70000', 'limts=off', 'nonsense', 'modules.mial.password=x'],
  })
  t.same(shown(answer).sort(), [
    '--set limts limts: there is no key limts: did you mean limits?',
    "--set listen.c2s listen.c2s: a port from 1 to 65535, 'address:port' with an IP address, a list of them, or false is wanted",
    '--set modules.mial.password modules.mial: there is no module mial: did you mean mail?',
    '--set nonsense : key=value is wanted, such as listen.c2s=5222',
    'TERCET_ENCRYPTION encryption: one of required, optional is wanted',
    'TERCET_LISTEN__C2T listen.c2t: there is no key c2t: did you mean c2s?',
  ])
  t.notOk(answer.faults.some(({ frame, line }) => frame !== undefined || line !== undefined))
})

test('variables that a platform puts beside ours do not stop the server', async (t) => {
  const answer = await read(t, '', {
    env: { TERCET_PORT: 'tcp://10.0.0.1:80', TERCET_LIMIT: 'off' },
  })
  t.same(answer.faults, [])
  t.same(
    answer.warnings.map(({ file, message }) => `${file}: ${message}`),
    [
      'TERCET_LIMIT: this variable sets no key: did you mean TERCET_LIMITS?',
      'TERCET_PORT: this variable sets no key',
    ],
  )
})

test('a text with many zeros in front keeps them', async (t) => {
  const answer = await read(t, 'modules: { mail: { password: 00123 } }\n')
  t.equal(passwordOf(answer), '00123')
})

test('secrets come from a file or a systemd credential', async (t) => {
  const folder = folderFor(t)
  mkdirSync(join(folder, 'credentials'))
  writeFileSync(join(folder, 'credentials', 'mail'), 'romeo and juliet')
  writeFileSync(join(folder, 'url'), 'postgres://romeo:secret@db/tercet\n')
  const env = { CREDENTIALS_DIRECTORY: join(folder, 'credentials') }
  const answer = await read(
    t,
    'database: { file: url }\nmodules: { mail: { password: { credential: mail } } }\n',
    { env, folder },
  )
  t.same(answer.faults, [])
  t.equal(answer.settings?.database, 'postgres://romeo:secret@db/tercet')
  t.equal(passwordOf(answer), 'romeo and juliet')
})

test('a secret that is not there is a fault that does not tell another', async (t) => {
  const folder = folderFor(t)
  writeFileSync(join(folder, 'large'), 'x'.repeat(65 * 1024))
  const yaml = 'modules:\n  mail: { password: { file: nowhere } }\ndatabase: { credential: a }\n'
  const missing = await read(t, yaml, { folder })
  t.same(
    shown(missing).map((line) => line.replace(folder, '')),
    [
      'tercet.yaml modules.mail.password: /nowhere cannot be read: there is no such file',
      'tercet.yaml database: there are no credentials: LoadCredential= in the service unit brings them',
    ],
  )
  const outside = await read(t, 'database: { credential: ../x }\n', {
    env: { CREDENTIALS_DIRECTORY: '/x' },
    folder,
  })
  t.match(shown(outside)[0], /a credential has a plain name/)
  t.match(shown(await read(t, 'database: { file: large }\n', { folder }))[0], /at most 64 KiB/)
  t.match(shown(await read(t, 'database: { file: . }\n', { folder }))[0], /is not a file/)
  writeFileSync(join(folder, 'bad'), 'hunter2')
  t.notMatch(shown(await read(t, 'database: { file: bad }\n', { folder })).join(), /hunter2/)
})

test('a module of the operator is loaded from beside the configuration and checked by its head', async (t) => {
  const folder = folderFor(t)
  const asked: string[] = []
  const loadHead = async (path: string) => {
    asked.push(path)
    if (path.endsWith('broken.js')) throw new Error('no module')
    return {
      name: path.endsWith('twin.js') ? 'mail' : 'greeting',
      config: { words: text({ default: 'hi', doc: 'Words.' }) },
    }
  }
  const good = await read(t, 'modules: { ./greeting.js: { words: hello }, ./off.js: false }\n', {
    folder,
    loadHead,
  })
  t.same(good.faults, [])
  t.same(asked, [join(folder, 'greeting.js')])
  t.same(JSON.parse(JSON.stringify(good.settings?.hosts[0]?.modules)), {
    [join(folder, 'greeting.js')]: { words: 'hello' },
    greeting: { words: 'hello' },
    [join(folder, 'off.js')]: false,
  })
  const yaml = 'modules: { ./greeting.js: { wrds: 1 }, ./broken.js: {}, ./twin.js: }\n'
  t.same(shown(await read(t, yaml, { folder, loadHead })), [
    'tercet.yaml modules."./greeting.js".wrds: there is no option of greeting wrds: did you mean words?',
    'tercet.yaml modules."./broken.js": this module cannot be loaded: no module',
    'tercet.yaml modules."./twin.js": there is a module mail already: give this one another name',
  ])
})

test('the file is the named one, else ./tercet.yaml, else the one of the system', (t) => {
  const folder = folderFor(t)
  const system = join(folder, 'system.yaml')
  t.equal(findConfig(undefined, folder, system).path, undefined)
  writeFileSync(system, 'limits: off')
  t.equal(findConfig(undefined, folder, system).path, system)
  writeFileSync(join(folder, 'tercet.yaml'), '')
  t.equal(findConfig(undefined, folder, system).path, join(folder, 'tercet.yaml'))
  t.equal(findConfig('system.yaml', folder).path, system)
  t.equal(
    findConfig('/etc/tercet/none.yaml', folder).fault?.message,
    'it cannot be read: there is no such file',
  )
  t.end()
})
