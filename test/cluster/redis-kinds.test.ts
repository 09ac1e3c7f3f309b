// The link over whatever an operator may have: a user with a password, TLS, sentinels, a cluster of Redis.

import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test, type Test } from 'tap'
import { Membership } from '../../lib/cluster/membership.js'
import { RedisDirectory } from '../../lib/cluster/redis-directory.js'
import { RedisLink } from '../../lib/cluster/redis-link.js'
import { selfSigned } from '../../lib/net/certificates.js'
import { systemClock } from '../../lib/ops/clock.js'
import { silentLog } from '../../lib/ops/log.js'
import { freePorts } from '../bin/program.js'
import { noRedis, TestRedis } from '../world/redis.js'

const MASTER = 'tercet'

async function started(t: Test, ...more: string[]): Promise<TestRedis> {
  const redis = await TestRedis.start(more)
  t.teardown(() => redis.stop())
  return redis
}

async function open(t: Test, url: string): Promise<RedisLink> {
  const link = await RedisLink.open(url, silentLog)
  t.teardown(() => link.close())
  return link
}

/** Redis is another process: what it will say takes a moment. */
async function until(look: () => Promise<unknown> | unknown): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 10))
}

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'redis-kind-'))
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** What came by a channel, and how often it was listened to. */
async function listens(link: RedisLink, channel: string) {
  const got = { heard: 0, texts: [] as string[] }
  link.listener.on('smessageBuffer', (_, bytes: Buffer) => got.texts.push(bytes.toString()))
  await link.listen([channel], { deaf: () => {}, heard: () => void got.heard++ })
  return got
}

const says = (link: RedisLink, channel: string, text: string) =>
  link.attempt((redis) => redis.spublish(channel, text))

if (noRedis) {
  test('kinds of Redis', { skip: noRedis }, async () => {})
} else {
  test('a user with a password, and a database of its own', async (t) => {
    const [port] = await freePorts(1)
    const user = 'romeo on >sesame&more ~* &* +@all'.split(' ')
    await started(t, '--port', String(port), '--user', ...user)
    const link = await open(t, `redis://romeo:sesame%26more@127.0.0.1:${port}/3`)
    t.equal(await link.commands.call('acl', 'whoami'), 'romeo')
    t.match(await link.commands.call('client', 'info'), / db=3 /)
    t.notOk((await open(t, `redis://romeo:wrong@127.0.0.1:${port}`)).up)
  })

  test('TLS, with a certificate that this machine trusts', async (t) => {
    const [port] = await freePorts(1)
    const files = folder(t)
    const [crt, key] = [join(files, 'redis.crt'), join(files, 'redis.key')]
    const pair = selfSigned(['localhost'])
    writeFileSync(crt, pair.certificate)
    writeFileSync(key, pair.key)
    const tls = ['--tls-cert-file', crt, '--tls-key-file', key, '--tls-auth-clients', 'no']
    await started(t, '--tls-port', String(port), ...tls)
    const url = `rediss://localhost:${port}`
    t.notOk((await open(t, url)).up, 'nobody vouches for it')
    const module = new URL('../../lib/cluster/redis-link.js', import.meta.url).href
    const script = `
      const { RedisLink } = await import(${JSON.stringify(module)})
      const link = await RedisLink.open('${url}', { error() {}, info() {} })
      console.log(await link.commands.ping())
      link.close()`
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: crt }
    const args = ['--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    t.equal(stdout, 'PONG\n')
  })

  test('behind sentinels the link follows the master', async (t) => {
    const [one, two, port] = (await freePorts(3)) as [number, number, number]
    const first = await started(t, '--port', String(one))
    const second = await started(t, '--port', String(two), '--replicaof', '127.0.0.1', String(one))
    sentinel(t, port, one)
    const url = `redis-sentinel://127.0.0.1:1,127.0.0.1:${port}/${MASTER}`
    const link = await open(t, url)
    await until(() => link.up)
    const got = await listens(link, 'here')
    t.equal(await says(link, 'here', 'before'), 1)

    await until(async () => /state=online/.test(String(await first.ask('info', 'replication'))))
    // It hangs: its connections stand.
    first.signal('STOP')
    // The sentinel cuts all connections of whoever becomes master, the one that asks among them.
    const role = () => second.ask('info', 'replication').catch(() => 'not said')
    await until(async () => /role:master/.test(String(await role())))
    await until(() => got.heard > 1)
    await until(async () => (await says(link, 'here', 'after')) === 1)
    await until(() => got.texts.includes('after'))
    t.match(await second.ask('pubsub', 'shardchannels'), ['here'], 'it listens at the new master')
  })

  test('sentinels that are away hold nobody up', async (t) => {
    const [nobody] = await freePorts(1)
    t.notOk((await open(t, `redis-sentinel://127.0.0.1:${nobody}/${MASTER}`)).up)
  })

  test('in a cluster each listens where its channel is, also when that moves', async (t) => {
    const ports = (await freePorts(6)) as number[]
    const servers = await cluster(t, ports.slice(0, 3), ports.slice(3))
    const url = `redis-cluster://127.0.0.1:${ports[2]},127.0.0.1:${ports[0]}`
    const names = ['{a}', '{b}', '{c}', '{d}']
    const links = await Promise.all(names.map(() => open(t, url)))
    const ears = await Promise.all(links.map((link, at) => listens(link, names[at]!)))
    await until(() => ears.every(({ heard }) => heard === 1))
    for (const link of links)
      for (const name of names) t.equal(await says(link, name, 'to all'), 1, `${name} listens`)
    await until(() => ears.every(({ texts }) => texts.length === 4))
    const directory = await directoryOf(t, links[0]!, 'here')
    const place = { id: '1', node: 'here', resource: 'phone', available: true, priority: 0 }
    for (const name of names) await directory.put(`romeo@${name}.example`, place)
    for (const name of names)
      await links[1]!.attempt((redis) => redis.del(`tercet:s:{romeo@${name}.example}`))
    await directory.renew()
    const other = await directoryOf(t, links[1]!, 'there')
    for (const name of names)
      t.equal(
        (await other.lookup(`romeo@${name}.example`)).length,
        1,
        'said again after all was lost',
      )

    await moves(servers, '{a}')
    await until(() => ears[0]!.heard > 1)
    await until(async () => (await says(links[1]!, '{a}', 'moved')) === 1)
    await until(() => ears[0]!.texts.includes('moved'))
    t.equal(ears[1]!.heard, 1, 'the others stay where they are')
  })
}

async function directoryOf(t: Test, link: RedisLink, node: string): Promise<RedisDirectory> {
  const members = new Membership({ self: { node, life: node }, link, clock: systemClock })
  await members.join()
  const directory = new RedisDirectory({ link, members, clock: systemClock })
  t.teardown(() => Promise.all([directory.close(), members.leave()]))
  return directory
}

/** Watches over the master at that port. */
function sentinel(t: Test, port: number, master: number): void {
  const path = join(folder(t), 'sentinel.conf')
  const monitor = `sentinel monitor ${MASTER} 127.0.0.1 ${master} 1`
  const down = `sentinel down-after-milliseconds ${MASTER} 500`
  writeFileSync(path, `port ${port}\n${monitor}\n${down}\n`)
  const child = spawn('redis-server', [path, '--sentinel'], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
}

async function cluster(t: Test, ports: number[], buses: number[]): Promise<TestRedis[]> {
  const servers = await Promise.all(
    ports.map((port, at) => {
      const own = ['--cluster-enabled', 'yes', '--cluster-port', String(buses[at])]
      return started(t, '--port', String(port), ...own)
    }),
  )
  const places = ports.map((port) => `127.0.0.1:${port}`)
  await promisify(execFile)('redis-cli', ['--cluster', 'create', ...places, '--cluster-yes'])
  for (const server of servers)
    await until(async () => /cluster_state:ok/.test(String(await server.ask('cluster', 'info'))))
  return servers
}

/** The slot of that key goes to another server. */
async function moves(servers: TestRedis[], key: string): Promise<void> {
  const slot = String(await servers[0]!.ask('cluster', 'keyslot', key))
  const slots = (await servers[0]!.ask('cluster', 'slots')) as [
    number,
    number,
    [string, number, string],
  ][]
  const owner = slots.find(([from, to]) => from <= Number(slot) && Number(slot) <= to)![2][2]
  const ids = (await Promise.all(
    servers.map((server) => server.ask('cluster', 'myid')),
  )) as string[]
  const to = ids.find((id) => id !== owner)!
  const from = servers[ids.indexOf(owner)]!
  await from.ask('del', key)
  await servers[ids.indexOf(to)]!.ask('cluster', 'setslot', slot, 'importing', owner)
  await from.ask('cluster', 'setslot', slot, 'migrating', to)
  for (const server of [servers[ids.indexOf(to)]!, from, ...servers])
    await server.ask('cluster', 'setslot', slot, 'node', to)
}
