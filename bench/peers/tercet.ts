// Tercet from this build: limits off and clear text allowed, as for its peers; everything else as
// it comes.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outputOf } from '../programs.js'
import { DOMAIN, type Launch, type Peer, type Setting, type Site } from './peer.js'
import { addAccounts } from './tercet-accounts.js'
import { addContacts } from './tercet-contacts.js'
import { fillTercet } from './tercet-archive.js'

const PROGRAM = fileURLToPath(new URL('../../bin/tercet.js', import.meta.url))
const COLLECTOR = new URL('collector.js', import.meta.url).href

function configuration({ folder, ports, certificate, setting }: Site): string {
  return `
domain: ${DOMAIN}
data: ${folder}/data
listen:
  address: 127.0.0.1
  c2s: ${ports.clear}
  c2s_tls: ${ports.tls}
  s2s: 0
  s2s_tls: 0
  component: 0
  http: ${ports.http}
  https: 0
  proxy65: 0
tls:
  certificate: ${certificate.chain}
  key: ${certificate.key}
encryption: optional
registration: open
password_rounds: 4096
limits: off
${several(setting)}${modules(setting)}`
}

function several({ database, redis, workers }: Setting): string {
  const keys = Object.entries({ database, redis, workers })
  return keys.flatMap(([key, value]) => (value ? [`${key}: ${value}\n`] : [])).join('')
}

/** The archive, and what needs it */
const OF_ARCHIVE = ['archive', 'inbox', 'message-status', 'read-state', 'search']

function modules({ archive, rooms = false, unsearched = false }: Setting): string {
  const changed = [
    // A room is told itself whether it keeps anything; without an archive there are no rooms.
    ...(archive || rooms ? [] : OF_ARCHIVE.map((name) => `${name}: false`)),
    rooms ? 'rooms: { max_occupants: 5000, shown_occupants: 5000 }' : 'rooms: false',
    ...(unsearched && (archive || rooms) ? ['search: false'] : []),
  ]
  return `modules: { ${changed.join(', ')} }\n`
}

const room = ({ archive }: Setting) => ({
  service: `rooms.${DOMAIN}`,
  form: { 'muc#roomconfig_enablearchiving': archive ? '1' : '0' },
})

function prepare(site: Site): Launch {
  mkdirSync(join(site.folder, 'data'), { recursive: true })
  const file = join(site.folder, 'tercet.yaml')
  writeFileSync(file, configuration(site))
  const { memory } = site.setting
  const collecting = memory === undefined ? [] : ['--expose-gc', '--import', COLLECTOR]
  return {
    command: [process.execPath, ...collecting, PROGRAM, 'start', '--config', file],
    ...(memory !== undefined && { environment: { BENCH_MEMORY_FILE: memory } }),
  }
}

function version(): string | undefined {
  if (!existsSync(PROGRAM)) return undefined
  return outputOf(process.execPath, PROGRAM, 'version')?.replace('tercet ', '') ?? '(no version)'
}

export const tercet: Peer = {
  name: 'tercet',
  title: 'Tercet',
  websocketPath: '/xmpp',
  version,
  missing: 'npm run build',
  tellsMemory: true,
  room,
  prepare,
  addAccounts,
  addContacts,
  fill: fillTercet,
}
