// Every kind of fault in tercet.yaml with its exact place, and what a good file becomes.

import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { readConfig } from '../../lib/ops/config.js'
import { test } from 'tap'
import { heads, names, read, shown } from './config-texts.js'

test('a full file becomes the settings of the server', async (t) => {
  const answer = await read(
    t,
    `domain: Chat.Example
data: kept
database: postgres://romeo@db.example/tercet
durability: power
listen:
  address: [127.0.0.1, '::1']
  c2s: [5222, '10.0.0.1:5322']
  c2s_tls: 0
  http: false
  https: '[::1]:5281'
  s2s: 0
  proxies: [10.0.0.0/8, 127.0.0.1]
encryption: optional
registration: open
password_rounds: 4096
scram_sha1: false
limits: off
admins: [Romeo@chat.example]
workers: 1
redis:
modules:
  archive: { keep: 2 years, page: 20, largest: 1 KiB }
  client-state: true
  mail:
  rooms: false
`,
  )
  t.same(answer.faults, [])
  t.same(answer.warnings, [])
  t.equal(answer.file, join(answer.folder, 'tercet.yaml'))
  t.same(JSON.parse(JSON.stringify(answer.settings)), {
    hosts: [
      {
        domain: 'chat.example',
        encryption: 'optional',
        registration: 'open',
        passwordRounds: 4096,
        scramSha1: false,
        admins: ['romeo@chat.example'],
        modules: {
          archive: { keep: '2 years', page: 20, largest: '1 KiB' },
          'client-state': {},
          mail: {},
          rooms: false,
        },
      },
    ],
    data: join(answer.folder, 'kept'),
    database: 'postgres://romeo@db.example/tercet',
    redis: '',
    workers: 1,
    durability: 'power',
    limits: 'off',
    listen: {
      c2s: [
        { address: '127.0.0.1', port: 5222 },
        { address: '::1', port: 5222 },
        { address: '10.0.0.1', port: 5322 },
      ],
      c2s_tls: [],
      http: [],
      https: [{ address: '::1', port: 5281 }],
      proxies: ['10.0.0.0/8', '127.0.0.1'],
    },
  })
})

test('an empty file and no file are the defaults', async (t) => {
  for (const yaml of ['', '# nothing\n', '---\n', '{}']) {
    const answer = await read(t, yaml)
    t.same(answer.faults, [], JSON.stringify(yaml))
    t.equal(answer.settings?.hosts[0]?.domain, 'localhost')
    t.equal(answer.settings?.database, 'sqlite')
    t.same(answer.settings?.listen.c2s, [{ address: undefined, port: 5222 }])
    t.equal(answer.settings?.hosts[0]?.passwordRounds, 100_000)
  }
  const none = await readConfig({
    env: {},
    cwd: mkdtempSync(join(tmpdir(), 'tercet-config-')),
    heads,
    names,
  })
  t.equal(none.file, undefined)
  t.equal(none.settings?.hosts[0]?.encryption, 'required')
})

test('all faults are told at once, each with line, column, path and the nearest key', async (t) => {
  const answer = await read(
    t,
    `domian: chat.example
listen:
  c2s_tsl: 5223
  c2s: 70000
encryption: requird
password_rounds: 0
modules:
  archve: { keep: 1 year }
  archive:
    kep: 1 year
    page: 1000
    largest: 1 TB
`,
  )
  t.equal(answer.settings, undefined)
  t.same(shown(answer), [
    '1:1 domian: there is no key domian: did you mean domain?',
    '3:3 listen.c2s_tsl: there is no key c2s_tsl: did you mean c2s_tls?',
    "4:8 listen.c2s: a port from 1 to 65535, 'address:port' with an IP address, a list of them, or false is wanted",
    '5:13 encryption: one of required, optional is wanted',
    '6:18 password_rounds: at least 1 is wanted (allowed: 1 to 10000000 rounds)',
    '8:3 modules.archve: there is no module archve: did you mean archive?',
    '10:5 modules.archive.kep: there is no option of archive kep: did you mean keep?',
    '11:11 modules.archive.page: at most 250 is allowed (allowed: 1 to 250 messages)',
    "12:14 modules.archive.largest: a size is wanted, such as '256 KiB' or '50 MB' (allowed: 1 KiB to 1 MiB)",
  ])
})

test('a fault shows the lines around it and marks the column', async (t) => {
  const { faults } = await read(t, 'domain: chat.example\nlisten:\n  c2s_tl: 5223\n  http: 5280\n')
  t.equal(faults[0]?.frame, '  2 | listen:\n> 3 |   c2s_tl: 5223\n    |   ^\n  4 |   http: 5280')
  t.equal(faults[0]?.file, 'tercet.yaml')
})

test('control characters of a file do not reach the terminal', async (t) => {
  const { faults } = await read(t, 'domain: "a"\nlimits: "\\u001b[31m" # \u0085\u009b31m\n')
  t.notMatch(faults[0]?.frame, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  const long = await read(t, `admins: ["${'x'.repeat(500)}"]`)
  t.ok((long.faults[0]?.frame?.length ?? 999) < 300, 'a long line is cut')
  const key = await read(t, `${'y'.repeat(500)}: 1`)
  t.ok((key.faults[0]?.message.length ?? 999) < 400, 'a long key is cut')
})

test('what is no YAML is told with its place, and nothing else is', async (t) => {
  t.same(shown(await read(t, 'a: [1, 2\nlimits: nonsense\n')).length > 0, true)
  const tabs = await read(t, 'listen:\n\tc2s: 1\n')
  t.match(shown(tabs)[0], /^2:1 : this is not YAML: a tab indents here/)
  const two = await read(t, 'domain: a\n---\ndomain: b\n')
  t.match(shown(two)[0], /^2:1 : this is not YAML: a second document/)
  const tag = await read(t, 'domain: !secret a\n')
  t.match(shown(tag)[0], /^1:9 : this is not YAML: tags/)
  t.match(shown(await read(t, 'just a text\n'))[0], /^1:1 : keys with values are wanted/)
  t.match(shown(await read(t, '- a\n- b\n'))[0], /^1:1 : keys with values are wanted/)
})

test('a key given twice is refused where it comes again', async (t) => {
  t.same(shown(await read(t, 'domain: a\nlimits: off\ndomain: b\nlistn: 1\n')), [
    '3:1 domain: this key was given in line 1 already',
    '4:1 listn: there is no key listn: did you mean listen?',
  ])
})

test('aliases are refused, and deep, long and huge texts have an end', async (t) => {
  t.match(
    shown(await read(t, 'admins: &a [x@y]\nmodules: *a\n'))[0],
    /^2:10 modules: aliases are not read here/,
  )
  t.match(
    shown(await read(t, `admins: ${'['.repeat(30)}${']'.repeat(30)}\n`)).join(),
    /nested more than 16 levels/,
  )
  t.match((await read(t, '['.repeat(200_000))).faults[0]?.message, /nested too deeply|not YAML/)
  t.match(shown(await read(t, `admins: [${'a,'.repeat(10_001)}]`))[0], /more than 10000 values/)
  t.match(
    (await read(t, `#${'x'.repeat(1024 * 1024)}\ndomain: a`)).faults[0]?.message,
    /more than 1 MiB/,
  )
})

test('a file that cannot be read is one fault', async (t) => {
  const missing = await read(t, '', { file: 'nowhere.yaml' })
  t.same(missing.faults, [
    { message: 'it cannot be read: there is no such file', path: '', file: 'nowhere.yaml' },
  ])
  const bytesNotText = await read(t, new Uint8Array([0x61, 0x3a, 0x20, 0xff, 0xfe]))
  t.same(
    bytesNotText.faults.map(({ message }) => message),
    ['this is not UTF-8'],
  )
})
