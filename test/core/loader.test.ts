// Modules: found, put in order, their options read, added with all they offer and removed again.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import {
  addModule,
  findModules,
  inOrder,
  loadModule,
  readOptions,
  removeModule,
} from '../../lib/core/loader.js'
import { defineModule, type Module } from '../../lib/core/module.js'
import { duration, integer } from '../../lib/ops/options.js'
import { xml } from '../../lib/xmpp/element.js'
import { DOMAIN, world } from '../world/world.js'

function empty(name: string, requires: readonly Module[] = []): Module {
  return defineModule({ name, summary: 'Does nothing', requires, setup: () => ({}) })
}

const names = (modules: readonly Module[]) => modules.map(({ name }) => name)

test('what a module requires is loaded before it; otherwise the names decide', async (t) => {
  const log = empty('z-log')
  const archive = empty('archive', [log])
  const rooms = empty('a-rooms', [archive, log])
  t.same(names(inOrder([rooms, archive, empty('m'), log])), ['z-log', 'archive', 'a-rooms', 'm'])
  t.same(names(inOrder([log, empty('m'), rooms, archive])), ['z-log', 'archive', 'a-rooms', 'm'])
})

test('modules that require each other are refused, with the way round', async (t) => {
  const required: Module[] = []
  const a = empty('a', required)
  const b = empty('b', [a])
  required.push(b)
  t.throws(() => inOrder([a, b]), /modules require each other: a → b → a/)
})

test('a requirement that is left out is named', async (t) => {
  t.throws(
    () => inOrder([empty('archive', [empty('log')])]),
    /module archive needs module log, which is left out/,
  )
})

test('two modules of one name are refused', async (t) => {
  t.throws(() => inOrder([empty('a'), empty('a')]), /two modules are named a/)
})

const shop = defineModule({
  name: 'shop',
  summary: 'Has options',
  config: {
    rooms: integer({ default: 3, min: 1, max: 9, doc: 'How many' }),
    patience: duration({ default: '10 s', doc: 'How long' }),
  },
  setup: () => ({}),
})

test('options are what was written, read by their kinds, and defaults', async (t) => {
  t.same({ ...readOptions(shop, { patience: '2 minutes' }) }, { rooms: 3, patience: 120_000 })
})

test('an option that is not declared or not in its bounds is refused by its name', async (t) => {
  t.throws(() => readOptions(shop, { room: 1 }), /module shop has no option room/)
  t.throws(() => readOptions(shop, { constructor: 1 }), /module shop has no option constructor/)
  t.throws(() => readOptions(shop, { rooms: 0 }), /modules\.shop\.rooms: at least 1 is wanted/)
})

test('the modules of a folder are its files, and folders with an entry of their name', async (t) => {
  const folder = t.testdir({})
  const text = (name: string) => `export default { name: '${name}', setup: () => ({}) }`
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'ping.js'), text('ping'))
  writeFileSync(join(folder, 'ping.js.map'), '{}')
  mkdirSync(join(folder, 'rooms'))
  writeFileSync(join(folder, 'rooms', 'rooms.js'), text('rooms'))
  writeFileSync(join(folder, 'rooms', 'other.js'), text('other'))
  mkdirSync(join(folder, 'assets'))
  t.same(names(await findModules(folder)), ['ping', 'rooms'])
})

test('a file that exports no module is refused by its path', async (t) => {
  const folder = t.testdir({ 'x.js': 'export default 5', 'package.json': '{"type":"module"}' })
  await t.rejects(loadModule(join(folder, 'x.js')), /x\.js exports no module/)
})

/** One of everything. */
function everything(closed: string[]): Module {
  return defineModule({
    name: 'everything',
    summary: 'Offers one of everything',
    setup: () => ({
      iq: [
        {
          get: 'query',
          xmlns: 'urn:example:all',
          to: 'host' as const,
          allow: 'anyone' as const,
          answer: () => xml('query', 'urn:example:all'),
        },
      ],
      hooks: { 'message:sent': { admit() {} } },
      on: { 'host:ready': () => void closed.push('heard') },
      streamFeatures: [
        {
          name: 'all',
          accepts: ['{urn:example:all}start'],
          advertise: () => xml('all', 'urn:example:all'),
          negotiate() {},
        },
      ],
      domain: { subdomain: 'all', receive() {} },
      http: [{ method: 'GET' as const, path: '/all', handle() {} }],
      tasks: [{ name: 'all', every: 1000, run() {} }],
      commands: [
        {
          name: 'all do',
          summary: 'All',
          allow: 'admin' as const,
          parameters: {},
          run: () => ({}),
        },
      ],
      disco: { server: ['urn:example:all'] },
      close: () => void closed.push('closed'),
    }),
  })
}

test('removing a module takes everything away that it offered', async (t) => {
  const { server, romeo, clock } = await world(t)
  const host = server.hosts.get(DOMAIN)!
  const said: string[] = []
  const timers = clock.waiting
  await addModule(host, everything(said), {})

  const ask = () => romeo.asks('get', DOMAIN, "<query xmlns='urn:example:all'/>")
  t.equal((await ask()).attrs.type, 'result')
  t.ok(host.pipeline.has('message:sent'))
  t.ok(host.features().some(({ name }) => name === 'all'))
  t.ok(server.domains.has(`all.${DOMAIN}`))
  t.not(server.routes.find('GET', '/all'), 'no path')
  t.equal(clock.waiting, timers + 1)
  t.ok(server.commands().some(({ name }) => name === 'all do'))
  await host.events.emit('host:ready', { domain: DOMAIN })
  t.same(said, ['heard'])
  t.equal([...host.offered('disco')].length, 1)

  await removeModule(host, 'everything')
  t.same(said, ['heard', 'closed'])
  t.equal((await ask()).attrs.type, 'error')
  t.notOk(host.pipeline.has('message:sent'))
  t.notOk(host.features().some(({ name }) => name === 'all'))
  t.notOk(server.domains.has(`all.${DOMAIN}`))
  t.equal(server.routes.find('GET', '/all'), 'no path')
  t.equal(clock.waiting, timers)
  t.notOk(server.commands().some(({ name }) => name === 'all do'))
  await host.events.emit('host:ready', { domain: DOMAIN })
  t.same(said, ['heard', 'closed'])
  t.equal([...host.offered('disco')].length, 0)
  await addModule(host, everything(said), {})
  t.ok(host.modules.has('everything'), 'it can come again')
})

test('two that answer the same request: the second is refused and leaves nothing behind', async (t) => {
  const { server, romeo, clock } = await world(t)
  const host = server.hosts.get(DOMAIN)!
  const said: string[] = []
  await addModule(host, everything(said), {})
  const timers = clock.waiting
  const twin = defineModule({
    name: 'twin',
    summary: 'Answers what another answers',
    setup: () => ({
      iq: [
        {
          get: 'mine',
          set: 'mine',
          xmlns: 'urn:example:twin',
          to: 'host' as const,
          allow: 'anyone' as const,
          answer() {},
        },
        {
          get: 'query',
          xmlns: 'urn:example:all',
          to: 'host' as const,
          allow: 'anyone' as const,
          answer: () => xml('twin', 'urn:example:all'),
        },
      ],
      hooks: { 'presence:sent': { admit() {} } },
      tasks: [{ name: 'twin', every: 1000, run() {} }],
      close: () => void said.push('twin closed'),
    }),
  })
  await t.rejects(
    addModule(host, twin, {}),
    /twin and everything both answer host get \{urn:example:all\}query/,
  )
  t.notOk(host.modules.has('twin'))
  t.notOk(host.pipeline.has('presence:sent'))
  t.equal(clock.waiting, timers)
  t.same(said, ['twin closed'])
  const first = await romeo.asks('get', DOMAIN, "<query xmlns='urn:example:all'/>")
  t.ok(first.getChild('query', 'urn:example:all'), 'the first still answers')
  const mine = await romeo.asks('get', DOMAIN, "<mine xmlns='urn:example:twin'/>")
  t.equal(mine.attrs.type, 'error')
})

test('a domain that another module has is refused, and stays with the first', async (t) => {
  const { server } = await world(t)
  const host = server.hosts.get(DOMAIN)!
  await addModule(host, everything([]), {})
  const twin = defineModule({
    name: 'twin',
    summary: 'Wants a domain that is taken',
    setup: () => ({ domain: { subdomain: 'all', receive() {} } }),
  })
  await t.rejects(addModule(host, twin, {}), /twin wants the domain all\.capulet\.example/)
  t.ok(server.domains.has(`all.${DOMAIN}`))
})

test('a module whose setup fails is not there', async (t) => {
  const { server } = await world(t)
  const host = server.hosts.get(DOMAIN)!
  const broken = defineModule({
    name: 'broken',
    summary: 'Cannot start',
    setup() {
      throw new Error('no such file')
    },
  })
  await t.rejects(addModule(host, broken, {}), /no such file/)
  t.notOk(host.modules.has('broken'))
})

test('a module gets what it requires, its options and a log of its own; of others nothing', async (t) => {
  const seen: unknown[] = []
  const clockwork = defineModule({
    name: 'clockwork',
    summary: 'Provides something',
    setup: () => ({ provides: { tick: () => 'tock' } }),
  })
  const stranger = defineModule({
    name: 'stranger',
    summary: 'Is not required',
    setup: () => ({ provides: 5 }),
  })
  const user = defineModule({
    name: 'user',
    summary: 'Uses another',
    requires: [clockwork],
    config: { rooms: integer({ default: 3, doc: 'How many' }) },
    setup(host) {
      seen.push(host.use(clockwork).tick(), host.config.rooms)
      t.throws(() => host.use(stranger), /module user must require stranger to use it/)
      host.log.info('set up')
      return {}
    },
  })
  const { log } = await world(t, { modules: [user, stranger], options: { user: { rooms: 7 } } })
  t.same(seen, ['tock', 7])
  t.ok(log.some((line) => /set up host="capulet\.example" module="user"/.test(line)))
})
