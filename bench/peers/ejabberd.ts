// ejabberd as Debian packages it: hashed passwords and Mnesia, the archive in SQL where the work asks
// for that, one scheduler without busy waiting for its one core, no shapers. Started by erl itself with the arguments
// that ejabberdctl gives it, but without Erlang distribution, so that no epmd is needed.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installedVersion } from '../programs.js'
import type { Work } from '../work.js'
import { accountsExpression, addAccounts } from './ejabberd-accounts.js'
import { createTables, databaseFile, fillEjabberd } from './ejabberd-archive.js'
import { DOMAIN, type Launch, type Peer, type Site, type Store } from './peer.js'

const CONTROL = '/usr/sbin/ejabberdctl'

/** Only what the work needs, so that the server is at its best. */
const MODULES = ['carboncopy', 'disco', 'muc', 'offline', 'ping', 'stream_mgmt', 'version']

const PACKAGES = { own: 'ejabberd', sqlite: 'erlang-p1-sqlite3', postgres: 'erlang-p1-pgsql' }

function lacks(store: Store): string | undefined {
  return installedVersion(PACKAGES[store]) === undefined ? PACKAGES[store] : undefined
}

function database({ folder, setting }: Site): string {
  if (setting.store === 'own') return ''
  if (setting.database === undefined) {
    return `sql_type: sqlite\nsql_database: "${databaseFile(folder)}"\n`
  }
  const { username, hostname, port, pathname } = new URL(setting.database)
  const where = `sql_server: "${hostname}"\nsql_port: ${port}\nsql_database: "${pathname.slice(1)}"`
  return `sql_type: pgsql\n${where}\nsql_username: "${username}"\nsql_password: ""\n`
}

/** No limit that its peers do not have either. */
const muc = (archive: boolean) =>
  `{ max_users: 5000, max_user_conferences: 1000, default_room_options: { max_users: 5000, mam: ${archive} } }`

function configuration(site: Site): string {
  const { ports, certificate, setting } = site
  const modules = MODULES.map(
    (name) => `  mod_${name}: ${name === 'muc' ? muc(setting.archive) : '{}'}`,
  ).join('\n')
  const kind = setting.store === 'own' ? '' : ', db_type: sql'
  const archive = setting.archive ? `  mod_mam: { default: always${kind} }\n` : ''
  return `
loglevel: error
hosts: [${DOMAIN}]
certfiles: ["${certificate.chain}", "${certificate.key}"]
listen:
  - { port: ${ports.clear}, ip: "127.0.0.1", module: ejabberd_c2s, access: all, shaper: none, backlog: 1024, starttls: true }
  - { port: ${ports.tls}, ip: "127.0.0.1", module: ejabberd_c2s, access: all, shaper: none, backlog: 1024, tls: true }
  - port: ${ports.http}
    backlog: 1024
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers: { /ws: ejabberd_http_ws }
${database(site)}auth_method: internal
auth_password_format: scram
disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2"]
registration_timeout: infinity
shaper_rules: { max_user_sessions: 10, max_user_offline_messages: 5000 }
modules:
${modules}
${archive}  mod_register: { ip_access: all, access: all }
  mod_roster: { versioning: true }
`
}

/** The library path in ejabberdctl depends on the machine's architecture. */
function libraries(): string {
  return /^ERL_LIBS='?([^'\n]+)/m.exec(readFileSync(CONTROL, 'utf8'))?.[1] ?? '/usr/lib'
}

function prepare(site: Site): Launch {
  const { folder } = site
  for (const name of ['spool', 'log']) mkdirSync(join(folder, name), { recursive: true })
  const file = join(folder, 'ejabberd.yml')
  writeFileSync(file, configuration(site))
  writeFileSync(join(folder, 'inetrc'), '{lookup,["file","native"]}.\n')
  const options = '+K true +P 250000 +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -noinput'
  const mnesia = ['-mnesia', 'dir', `"${folder}/spool"`, '-s', 'ejabberd']
  const accounts = ['-eval', accountsExpression(folder)]
  return {
    command: ['erl', ...options.split(' '), ...mnesia, ...accounts],
    user: 'ejabberd',
    environment: {
      HOME: folder,
      EJABBERD_CONFIG_PATH: file,
      EJABBERD_LOG_PATH: `${folder}/log/ejabberd.log`,
      ERL_LIBS: libraries(),
      ERL_INETRC: `${folder}/inetrc`,
      ERL_MAX_PORTS: '32000',
      ERL_MAX_ETS_TABLES: '1400',
      ERL_CRASH_DUMP_BYTES: '0',
    },
  }
}

/**
 * Full text it searches on MySQL only. Mnesia takes longer for each message of an account the more it
 * has: with ten thousand of them a row would take hours.
 */
function able({ plan, store }: Work): boolean {
  if (plan.kind === 'readers') return store === 'postgres'
  return plan.kind !== 'search'
}

export const ejabberd: Peer = {
  name: 'ejabberd',
  title: 'ejabberd',
  websocketPath: '/ws',
  version: () => installedVersion('ejabberd'),
  missing: 'apt-get install ejabberd',
  able,
  lacks,
  prepare,
  room: () => ({ service: `conference.${DOMAIN}`, form: {} }),
  createTables,
  addAccounts,
  fill: fillEjabberd,
}
