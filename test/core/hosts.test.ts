// Hosts and their modules while everything runs: added, removed, changed.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { defineModule, type Module } from '../../lib/core/module.js'
import type { HostSettings, ServerSettings } from '../../lib/core/settings.js'
import { integer } from '../../lib/ops/options.js'
import { xml } from '../../lib/xmpp/element.js'
import { DOMAIN, type World, world } from '../world/world.js'

const VERONA = 'verona.example'

/** Says when it comes and goes, and with which option. */
function witness(said: string[], name: string, requires: readonly Module[] = []): Module {
  return defineModule({
    name,
    summary: 'Says when it comes and goes',
    requires,
    config: { size: integer({ default: 1, min: 1, doc: 'A number' }) },
    setup(host) {
      said.push(`${name}+${host.config.size}`)
      return { close: () => void said.push(`${name}-`) }
    },
  })
}

function changed(w: World, change: (host: HostSettings) => Partial<HostSettings>): ServerSettings {
  const { settings } = w.server
  return { ...settings, hosts: settings.hosts.map((host) => ({ ...host, ...change(host) })) }
}

test('a host is added while the server runs, and people of it can talk to the others', async (t) => {
  const w = await world(t)
  const { settings } = w.server
  const added: ServerSettings = {
    ...settings,
    hosts: [...settings.hosts, { ...settings.hosts[0]!, domain: VERONA }],
  }
  t.same(await w.server.reload(added), [`host ${VERONA} added`])
  await w.server.run(VERONA, 'user add', { jid: `benvolio@${VERONA}`, password: 'secret of his' })
  const benvolio = await w.device(`benvolio@${VERONA}`)
  benvolio.sends(`<message to='${w.romeo.jid}'><body>coz</body></message>`)
  const message = await w.romeo.receives('<message><body>coz</body></message>')
  t.equal(message.attrs.from, benvolio.jid)
})

test('a host that is removed tells everybody on it host-gone; others stay (RFC 6120 §4.9.3.5)', async (t) => {
  const people = ['romeo', `benvolio@${VERONA}`]
  const said: string[] = []
  const w = await world(t, { modules: [witness(said, 'witness')], hosts: [VERONA], people })
  const waiting = w.stranger({ account: VERONA })
  waiting.open()
  const benvolio = w.person(`benvolio@${VERONA}`)
  const left = { ...w.server.settings, hosts: w.server.settings.hosts.slice(0, 1) }
  t.same(await w.server.reload(left), [`host ${VERONA} removed`])
  t.ok(benvolio.streamError?.getChild('host-gone'))
  t.ok(waiting.streamError?.getChild('host-gone'), 'also who has not logged in')
  t.ok(benvolio.closed && waiting.closed)
  t.same(said, ['witness+1', 'witness+1', 'witness-'])
  t.notOk(w.romeo.closed)
  w.romeo.sends(`<message to='benvolio@${VERONA}' id='1'><body>coz</body></message>`)
  await w.romeo.receives(
    "<message type='error'><error><remote-server-not-found/></error></message>",
  )
  const late = w.stranger({ account: VERONA })
  late.open()
  t.ok(late.streamError?.getChild('host-unknown'))
})

test('what changed of a host is said and holds at once', async (t) => {
  const w = await world(t)
  const next = changed(w, () => ({ registration: 'open', admins: [`romeo@${DOMAIN}`] }))
  t.same(await w.server.reload(next), [
    `${DOMAIN}: registration changed`,
    `${DOMAIN}: admins changed`,
  ])
  t.same(w.server.hosts.get(DOMAIN)?.settings.admins, [`romeo@${DOMAIN}`])
  t.same(await w.server.reload(next), [], 'nothing changed since')
  t.notOk(w.romeo.closed, 'nobody is disturbed')
})

test('what cannot change while the server runs is named', async (t) => {
  const w = await world(t)
  const next = { ...w.server.settings, durability: 'power' as const }
  t.same(await w.server.reload(next), ['durability changed: needs a restart'])
})

test('a module is switched off and on; who requires it must go with it', async (t) => {
  const said: string[] = []
  const log = witness(said, 'log')
  const archive = witness(said, 'archive', [log])
  const w = await world(t, { modules: [archive, witness(said, 'other')] })
  t.same(said.splice(0), ['log+1', 'archive+1', 'other+1'])

  const half = changed(w, () => ({ modules: { log: false } }))
  await t.rejects(w.server.reload(half), /module archive needs module log, which is left out/)
  t.same(said.splice(0), [], 'nothing was changed')
  t.ok(w.server.hosts.get(DOMAIN)?.modules.has('archive'))

  const off = changed(w, () => ({ modules: { log: false, archive: false } }))
  t.same(await w.server.reload(off), [
    `${DOMAIN}: module archive removed`,
    `${DOMAIN}: module log removed`,
  ])
  t.same(said.splice(0), ['archive-', 'log-'], 'the dependent first')

  const on = changed(w, () => ({ modules: {} }))
  t.same(await w.server.reload(on), [
    `${DOMAIN}: module log added`,
    `${DOMAIN}: module archive added`,
  ])
  t.same(said.splice(0), ['log+1', 'archive+1'])
})

test('a module whose options change is loaded again, and who requires it', async (t) => {
  const said: string[] = []
  const log = witness(said, 'log')
  const w = await world(t, { modules: [witness(said, 'archive', [log]), witness(said, 'other')] })
  said.length = 0
  const next = changed(w, () => ({ modules: { log: { size: 5 } } }))
  t.same(await w.server.reload(next), [
    `${DOMAIN}: module log reloaded`,
    `${DOMAIN}: module archive reloaded`,
  ])
  t.same(said, ['archive-', 'log-', 'log+5', 'archive+1'])
})

test('options that are wrong are refused before anything is changed', async (t) => {
  const said: string[] = []
  const w = await world(t, { modules: [witness(said, 'log')] })
  said.length = 0
  const next = changed(w, () => ({ modules: { log: { size: 0 } } }))
  await t.rejects(w.server.reload(next), /modules\.log\.size: at least 1 is wanted/)
  t.same(said, [])
  t.ok(w.server.hosts.get(DOMAIN)?.modules.has('log'))
})

test('a module from elsewhere is named by its path', async (t) => {
  const folder = t.testdir({ 'package.json': '{"type":"module"}' })
  const path = join(folder, 'echo.js')
  writeFileSync(
    path,
    `export default {
      name: 'echo',
      summary: 'Answers',
      setup: () => ({
        iq: [{ get: 'echo', xmlns: 'urn:example:echo', to: 'host', allow: 'anyone', answer() {} }],
      }),
    }`,
  )
  const w = await world(t)
  const ask = () => w.romeo.asks('get', DOMAIN, "<echo xmlns='urn:example:echo'/>")
  t.equal((await ask()).attrs.type, 'error')
  const next = changed(w, () => ({ modules: { [path]: {} } }))
  t.same(await w.server.reload(next), [`${DOMAIN}: module echo added`])
  t.equal((await ask()).attrs.type, 'result')
  const off = changed(w, () => ({ modules: { [path]: false } }))
  t.same(await w.server.reload(off), [`${DOMAIN}: module echo removed`])
})

test('a host that cannot be set up is not there afterwards', async (t) => {
  const broken = defineModule({
    name: 'broken',
    summary: 'Starts on one host alone',
    setup(host) {
      if (host.domain === VERONA) throw new Error('no room')
      return {}
    },
  })
  const w = await world(t, { modules: [broken] })
  const { settings } = w.server
  const added = {
    ...settings,
    hosts: [...settings.hosts, { ...settings.hosts[0]!, domain: VERONA }],
  }
  await t.rejects(w.server.reload(added), /no room/)
  t.notOk(w.server.hosts.has(VERONA))
})

test('several hosts in one server know nothing of each other', async (t) => {
  const counts = defineModule({
    name: 'counts',
    summary: 'Counts what it sees',
    setup(host) {
      let seen = 0
      return {
        hooks: { 'message:sent': { admit: () => void seen++ } },
        iq: [
          {
            get: 'count',
            xmlns: 'urn:example:count',
            to: 'host' as const,
            allow: 'local' as const,
            answer: () => xml('count', { xmlns: 'urn:example:count', of: host.domain }, `${seen}`),
          },
        ],
      }
    },
  })
  const people = ['romeo', `romeo@${VERONA}`]
  const w = await world(t, { modules: [counts], hosts: [VERONA], people })
  const other = w.person(`romeo@${VERONA}`)
  await w.romeo.comesOnline()
  await other.comesOnline()
  other.sends(`<message to='romeo@${DOMAIN}/phone' id='1'><body>namesake</body></message>`)
  const message = await w.romeo.receives("<message id='1'/>")
  t.equal(message.attrs.from, other.jid)
  await other.receivesNothing()
  const count = (client: typeof other, to: string) =>
    client.asks('get', to, "<count xmlns='urn:example:count'/>")
  t.equal((await count(w.romeo, DOMAIN)).getChildText('count'), '0')
  t.equal((await count(other, VERONA)).getChildText('count'), '1')
  t.equal((await count(other, DOMAIN)).attrs.type, 'error', 'no user of that host')
  t.equal(w.server.hosts.get(VERONA)?.sessions.size, 1)
  t.notOk(w.server.hosts.get(VERONA)?.sessions.find(w.server.hosts.get(DOMAIN)!.jid))
})
