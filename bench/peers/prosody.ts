// Prosody as Debian packages it: hashed passwords, the epoll backend,
// the generational collector (the incremental one costs it half again as much),
// the modules that the work needs, no limits, no debug log, its own file store for the archive
// unless the work asks for SQL; everything but the archive stays in files.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installedVersion } from '../programs.js'
import { createTables, fillProsody } from './prosody-archive.js'
import { DOMAIN, type Launch, type Peer, type Site, type Store } from './peer.js'

/** Only what the work needs: each further module that looks at stanzas slows Prosody down. */
const MODULES = [
  ...['disco', 'roster', 'saslauth', 'tls', 'carbons', 'smacks', 'ping', 'register', 'version'],
  ...['posix', 'websocket'],
]

const PACKAGES = { own: 'prosody', sqlite: 'lua-dbi-sqlite3', postgres: 'lua-dbi-postgresql' }

function lacks(store: Store): string | undefined {
  return installedVersion(PACKAGES[store]) === undefined ? PACKAGES[store] : undefined
}

function storage({ folder, setting }: Site): string {
  const { store, database } = setting
  if (store === 'own') return '"internal"'
  const use = '{ archive = "sql"; default = "internal" }'
  if (database === undefined) {
    return `${use}\nsql = { driver = "SQLite3"; database = "${folder}/data/prosody.sqlite" }`
  }
  const { username, hostname, port, pathname } = new URL(database)
  const where = `host = "${hostname}"; port = ${port}; database = "${pathname.slice(1)}"`
  return `${use}\nsql = { driver = "PostgreSQL"; ${where}; username = "${username}"; password = "" }`
}

function configuration(site: Site): string {
  const { folder, ports, certificate, setting } = site
  const modules = setting.archive ? [...MODULES, 'mam'] : MODULES
  return `
network_backend = "epoll"
gc = { mode = "generational" }
interfaces = { "127.0.0.1" }
c2s_ports = { ${ports.clear} }
c2s_direct_tls_ports = { ${ports.tls} }
s2s_ports = {}
http_ports = { ${ports.http} }
https_ports = {}
data_path = "${folder}/data"
pidfile = "${folder}/prosody.pid"
log = { error = "*stdout" }
modules_enabled = { ${modules.map((name) => `"${name}"`).join('; ')} }
modules_disabled = { "s2s" }
allow_registration = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_websocket_secure = true
authentication = "internal_hashed"
storage = ${storage(site)}
archive_expires_after = "never"
default_archive_policy = true
ssl = { certificate = "${certificate.chain}"; key = "${certificate.key}" }
VirtualHost "${DOMAIN}"
Component "conference.${DOMAIN}" "muc"
${setting.rooms && setting.archive ? '  modules_enabled = { "muc_mam" }\n  muc_log_expires_after = "never"\n' : ''}`
}

function prepare(site: Site): Launch {
  mkdirSync(join(site.folder, 'data'), { recursive: true })
  const file = join(site.folder, 'prosody.cfg.lua')
  writeFileSync(file, configuration(site))
  return { command: ['prosody', '--config', file, '-F'], user: 'prosody' }
}

/** As its internal_hashed provider stores them; one salt for all saves the bench the hashing. */
function createAccounts(site: Site, names: readonly string[], password: string): void {
  const folder = join(site.folder, 'data', DOMAIN, 'accounts')
  mkdirSync(folder, { recursive: true })
  const rounds = 10_000
  const salt = 'benchmark-salt'
  const salted = pbkdf2Sync(password, salt, rounds, 20, 'sha1')
  const key = (name: string) => createHmac('sha1', salted).update(name).digest()
  const stored = createHash('sha1').update(key('Client Key')).digest('hex')
  const server = key('Server Key').toString('hex')
  const account = `return { ["salt"] = "${salt}"; ["iteration_count"] = ${rounds};
["stored_key"] = "${stored}"; ["server_key"] = "${server}"; };\n`
  for (const name of names) writeFileSync(join(folder, `${name}.dat`), account)
}

export const prosody: Peer = {
  name: 'prosody',
  title: 'Prosody',
  websocketPath: '/xmpp-websocket',
  version: () => installedVersion('prosody'),
  missing: 'apt-get install prosody',
  able: (work) => work.plan.kind !== 'search',
  lacks,
  prepare,
  room: () => ({ service: `conference.${DOMAIN}`, form: {} }),
  createAccounts,
  createTables,
  fill: fillProsody,
}
