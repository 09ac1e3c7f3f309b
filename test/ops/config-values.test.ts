// Values, hosts and ports of tercet.yaml: what is refused, where, and what hosts take over.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { effective } from '../../lib/ops/config-effective.js'
import { heads, read, shown } from './config-texts.js'

test('values of the wrong shape are refused at their place', async (t) => {
  t.same(
    shown(
      await read(
        t,
        `domain: [a]
data: { a: b }
database: mysql://x
listen: 5222
tls: { certificate: nowhere.pem }
admins: [romeo@chat.example, nobody, 7]
scram_sha1: maybe
modules:
  archive: 5
  client-state: { on: 3 }
  mail: { mode: weekly }
`,
      ),
    ).map((line) => line.replace(/\/.*\//, '')),
    [
      '1:9 domain: a text is wanted',
      '2:7 data: a text is wanted',
      "3:11 database: 'sqlite' or 'postgres:database' is wanted",
      '4:9 listen: keys with values are wanted here',
      '5:6 tls: tls needs a certificate and a key: key is missing',
      '5:21 tls.certificate: nowhere.pem cannot be read: there is no such file',
      '6:30 admins.1: an address is wanted',
      '6:38 admins.2: an address is wanted',
      '7:13 scram_sha1: true or false is wanted',
      '9:12 modules.archive: options of the module, true or false are wanted',
      '10:23 modules.client-state.on: true or false is wanted',
      '11:17 modules.mail.mode: one of daily, hourly is wanted',
    ],
  )
  t.same(shown(await read(t, 'admins:\n  - romeo@chat.example\n  - nobody\n')), [
    '3:5 admins.1: an address is wanted',
  ])
})

test('in a list the wrong entry is pointed at', async (t) => {
  const answer = await read(
    t,
    `listen:
  c2s: [5222, x]
  proxies: [10.0.0.0/8, 10.0.0.0/33, here]
modules:
  archive: { only: [a, 5] }
`,
  )
  t.same(
    answer.faults.map(({ line, column, path }) => `${line}:${column} ${path}`),
    [
      '2:15 listen.c2s.1',
      '3:25 listen.proxies.1',
      '3:38 listen.proxies.2',
      '5:24 modules.archive.only.1',
    ],
  )
  t.same(shown(await read(t, 'modules:\n  archive: { only: [a, b, c] }\n')), [
    '2:20 modules.archive.only: at most 2 entries are allowed (allowed: up to 2)',
  ])
})

test('one port cannot be opened twice', async (t) => {
  const taken = (port: number, by: string) =>
    `port ${port} is taken by ${by}: write another port here, or false`
  t.same(shown(await read(t, 'listen: { http: 5222 }\n')), [
    `1:17 listen.http: ${taken(5222, 'listen.c2s')}`,
  ])
  t.same(shown(await read(t, "listen: { c2s: '127.0.0.1:7000', http: 7000 }\n")), [
    `1:40 listen.http: ${taken(7000, 'listen.c2s')}`,
  ])
  t.same(shown(await read(t, "listen: { c2s: '127.0.0.1:7000', http: '127.0.0.2:7000' }\n")), [])
})

test('hosts override what stands above them, module by module and option by option', async (t) => {
  const { settings, faults } = await read(
    t,
    `registration: open
admins: [romeo@a.example]
modules:
  archive: { keep: 1 year, page: 10 }
  mail: false
hosts:
  A.example:
  b.example:
    registration: closed
    encryption: optional
    admins: []
    modules:
      archive: { page: 20 }
      mail: { mode: hourly }
      client-state: false
`,
  )
  t.same(faults, [])
  const [a, b] = JSON.parse(JSON.stringify(settings?.hosts))
  t.equal(a.domain, 'a.example')
  t.equal(a.registration, 'open')
  t.same(a.admins, ['romeo@a.example'])
  t.same(a.modules, { archive: { keep: '1 year', page: 10 }, mail: false })
  t.equal(b.registration, 'closed')
  t.equal(b.encryption, 'optional')
  t.same(b.admins, [])
  t.same(b.modules, {
    archive: { keep: '1 year', page: 20 },
    mail: { mode: 'hourly' },
    'client-state': false,
  })
})

test('what hosts cannot have is told', async (t) => {
  t.same(
    shown(
      await read(
        t,
        `domain: a.example
hosts:
  a.example: { listen: { c2s: 1 }, regstration: open }
  A.Example: {}
  'b c': {}
  d.example: 5
`,
      ),
    ),
    [
      '1:9 domain: domain is for one host and hosts for several: keep one of the two',
      '3:16 hosts."a.example".listen: listen is for the whole server: it belongs to the top level, not under a host',
      '3:36 hosts."a.example".regstration: there is no key regstration: did you mean registration?',
      '4:3 hosts."A.Example": the host a.example stands here twice',
      '5:3 hosts."b c": a domain is wanted',
      '6:14 hosts."d.example": keys with values are wanted here',
    ],
  )
})

test('several nodes need Redis and a database that they can share', async (t) => {
  const postgres = 'database: postgres://romeo@db.example/tercet\n'
  const several = await read(t, `${postgres}redis: redis://127.0.0.1\nworkers: 2\n`)
  t.same(several.faults, [])
  t.match(several.settings, { redis: 'redis://127.0.0.1', workers: 2 })
  t.same(shown(await read(t, 'redis: redis://127.0.0.1\nworkers: 2\n')), [
    '1:8 redis: several nodes share one database, and SQLite is for one process alone: write database: postgres://user@host/database, or leave redis out',
  ])
  t.same(shown(await read(t, 'workers: 2\n')), [
    '1:10 workers: every worker is a node, and nodes find each other in Redis: write redis: redis://host:6379 and database: postgres://user@host/database, or workers: 1',
  ])
  t.same(shown(await read(t, `${postgres}workers: 2\n`)), [
    '2:10 workers: every worker is a node, and nodes find each other in Redis: write redis: redis://host:6379, or workers: 1',
  ])
})

test('a fault of the database or of Redis is told once', async (t) => {
  t.equal((await read(t, 'database: mysql\nredis: redis://a\n')).faults.length, 1)
  t.equal((await read(t, 'redis: http://a\nworkers: 2\n')).faults.length, 1)
})

test('where Redis is may be a secret, and is shown without its password', async (t) => {
  const database = 'database: postgres://romeo@db.example/tercet\n'
  const from = async (redis: string) => {
    const answer = await read(t, `${database}redis: ${redis}\n`)
    t.same(answer.faults, [], redis)
    return String(effective(answer, heads).redis)
  }
  t.equal(await from('redis://romeo:sesame@r.example/1'), 'redis://romeo:***@r.example/1')
  t.equal(
    await from('rediss-sentinel://:sesame@a,b/tercet?sentinel_password=open'),
    'rediss-sentinel://:***@a,b/tercet?sentinel_password=***',
  )
  const folder = mkdtempSync(join(tmpdir(), 'tercet-redis-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'redis'), 'rediss://romeo:sesame@r.example\n')
  const elsewhere = await read(t, `${database}redis: { credential: redis }\n`, {
    env: { CREDENTIALS_DIRECTORY: folder },
  })
  t.equal(elsewhere.settings?.redis, 'rediss://romeo:sesame@r.example')
  t.same(effective(elsewhere, heads).redis, { credential: 'redis' })
})

test('what comes with a later version is warned of where it does no harm', async (t) => {
  const warned = await read(
    t,
    "listen: { s2s: 5269, s2s_tls: 5270, component: '127.0.0.1:5347', proxy65: 5000 }\n",
  )
  t.same(warned.faults, [])
  t.same(
    warned.warnings.map(({ line, path, message }) => `${line} ${path} ${message}`),
    [
      '1 listen.s2s is not opened: federation comes with a later version',
      '1 listen.s2s_tls is not opened: federation comes with a later version',
      '1 listen.component is not opened: this comes with a later version',
      '1 listen.proxy65 is not opened: this comes with a later version',
    ],
  )
  t.same((await read(t, 'listen: { s2s: 0, s2s_tls: false, proxy65: [] }\n')).warnings, [])
  const crash = await read(t, 'durability: crash\ndatabase: postgres://a@b/c\n')
  t.match(crash.warnings[0]?.message, /PostgreSQL always commits/)
})

test('modules that do not exist may be left out but not set up', async (t) => {
  const answer = await read(
    t,
    'modules:\n  uploads: false\n  rooms: { max: 5 }\n  __proto__: { a: 1 }\n',
  )
  t.same(
    answer.faults.map(({ line, path }) => `${line} ${path}`),
    ['3 modules.rooms', '4 modules.__proto__'],
  )
})
