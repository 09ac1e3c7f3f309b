// What must be the same on all nodes.

import { test } from 'tap'
import { differing, fingerprint, printsOf } from '../../lib/core/fingerprint.js'
import { agreed, type NodeState } from '../../lib/core/node-state.js'
import type { HostSettings, ServerSettings } from '../../lib/core/settings.js'

function host(parts: Partial<HostSettings> = {}): HostSettings {
  return {
    domain: 'capulet.example',
    encryption: 'required',
    registration: 'closed',
    passwordRounds: 10_000,
    scramSha1: true,
    admins: ['nurse@capulet.example'],
    tls: undefined,
    modules: { archive: { page: 50, keep: 'forever' } },
    ...parts,
  }
}

function settings(parts: Partial<ServerSettings> = {}): ServerSettings {
  return {
    hosts: [host()],
    data: '/var/lib/tercet',
    database: 'postgresql:///tercet',
    durability: 'power',
    limits: 'default',
    listen: { c2s: [], c2s_tls: [], http: [], https: [], proxies: [] },
    ...parts,
  }
}

const diff = (parts: Partial<ServerSettings>): string[] =>
  differing(printsOf(settings()), printsOf(settings(parts)))

const inHost = (parts: Partial<HostSettings>): string[] => diff({ hosts: [host(parts)] })

test('what is each node own affair makes no difference', async (t) => {
  const listen = { ...settings().listen, c2s: [{ address: undefined, port: 5222 }] }
  t.same(diff({ data: '/elsewhere', database: 'postgresql://db/tercet', listen, workers: 4 }), [])
  t.same(inHost({ tls: { certificate: '/a', key: '/b' } }), [])
  t.same(inHost({ modules: { archive: { keep: 'forever', page: 50 }, disco: {} } }), [])
})

test('what differs is named by its key, and what it says is not to be seen', async (t) => {
  const key = 'hosts.capulet.example'
  t.same(diff({ limits: 'off' }), ['limits'])
  t.same(inHost({ admins: [] }), [`${key}.admins`])
  t.same(inHost({ modules: { archive: { page: 51, keep: 'forever' } } }), [
    `${key}.modules.archive.page`,
  ])
  t.same(inHost({ modules: { ...host().modules, search: false } }), [`${key}.modules.search`])
  t.same(inHost({ modules: { ...host().modules, '/own.js': {} } }), [`${key}.modules./own.js`])
  t.ok(diff({ hosts: [] }).includes(key))
  t.notMatch(JSON.stringify(printsOf(settings())), /nurse|forever/)
  t.match(fingerprint(printsOf(settings())), /^[0-9a-f]{12}$/)
})

test('most nodes are right; of two the one that is older', async (t) => {
  const state = (node: string, since: number, limits: 'default' | 'off'): NodeState => {
    const prints = printsOf(settings({ limits }))
    const configuration = fingerprint(prints)
    const own = { node, since, prints, configuration, life: node, version: '1', sessions: 0 }
    return { ...own, streams: 0, phase: 'running', ahead: null, problems: [] }
  }
  const [a, b, c] = [state('a', 3, 'off'), state('b', 1, 'default'), state('c', 2, 'off')]
  t.equal(agreed([a, b]), b.prints)
  t.equal(agreed([b, a]), b.prints)
  t.equal(agreed([b, c, a]), c.prints)
  const twin = { ...a, since: 1 }
  t.equal(agreed([b, twin]), agreed([twin, b]), 'all see it the same way')
  t.equal(agreed([]), undefined)
})
