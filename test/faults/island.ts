// A namespace of the network for one node, with a link to Redis that can be cut and a link to its clients
// that cannot. PostgreSQL is reached through its socket in the file system. A cut is silent: each end of
// the link takes the other for a card that is not there, so nobody is told and nothing comes back. Clients
// dial loopback: what comes to a port there is led over the other link.

import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { hasProgram } from '../../bench/programs.js'

const NOBODY = '02:00:00:00:00:01'

const left = new Set<Island>()
process.on('exit', () => {
  for (const island of left) island.remove()
})

interface Link {
  readonly outside: string
  readonly inside: string
  /** Of its ends */
  readonly here: string
  readonly there: string
}

export const noIslands = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'namespaces of the network need root'
  return hasProgram('ip') ? undefined : 'ip is not installed (Debian: apt-get install iproute2)'
}

export class Island {
  readonly redis: string
  readonly #name: string
  readonly #toRedis: Link
  readonly #toClients: Link
  readonly #relays: Server[] = []

  /** One for each node; `redisAddresses` is where Redis has to listen for them. */
  static several(count: number, redisPort: number): Island[] {
    const missing = noIslands()
    if (missing) throw new Error(missing)
    const net = `10.${randomInt(200, 255)}.${randomInt(0, 256)}`
    return Array.from({ length: count }, (_, index) => new Island(net, index, redisPort))
  }

  private constructor(net: string, index: number, redisPort: number) {
    this.#name = `tercet-${net.replaceAll('.', '-')}-${index}`
    this.#toRedis = link(net, 8 * index, this.#name)
    this.#toClients = link(net, 8 * index + 4, this.#name)
    this.redis = `redis://${this.#toRedis.here}:${redisPort}`
    left.add(this)
    ip('netns', 'add', this.#name)
    ip('-n', this.#name, 'link', 'set', 'lo', 'up')
    for (const each of [this.#toRedis, this.#toClients]) this.#lay(each)
  }

  /** Where Redis has to listen for it */
  get redisHost(): string {
    return this.#toRedis.here
  }

  /** Where the node has to listen */
  get address(): string {
    return this.#toClients.there
  }

  readonly wrap = (command: readonly string[]): string[] => [
    ...['ip', 'netns', 'exec', this.#name],
    ...command,
  ]

  #lay({ outside, inside, here, there }: Link): void {
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', inside, 'netns', this.#name)
    ip('addr', 'add', `${here}/30`, 'dev', outside)
    ip('link', 'set', outside, 'up')
    ip('-n', this.#name, 'addr', 'add', `${there}/30`, 'dev', inside)
    ip('-n', this.#name, 'link', 'set', inside, 'up')
  }

  cut(): void {
    const { outside, inside, here, there } = this.#toRedis
    const nobody = ['lladdr', NOBODY, 'nud', 'permanent']
    ip('neigh', 'replace', there, 'dev', outside, ...nobody)
    ip('-n', this.#name, 'neigh', 'replace', here, 'dev', inside, ...nobody)
  }

  join(): void {
    const { outside, inside, here, there } = this.#toRedis
    ip('neigh', 'del', there, 'dev', outside)
    ip('-n', this.#name, 'neigh', 'del', here, 'dev', inside)
  }

  /** What comes to these ports of 127.0.0.1 goes to the same ports in there. */
  async lead(...ports: readonly number[]): Promise<void> {
    for (const port of ports) this.#relays.push(await relay(port, this.address))
  }

  remove(): void {
    if (!left.delete(this)) return
    for (const each of this.#relays) each.close()
    spawnSync('ip', ['link', 'del', this.#toRedis.outside])
    spawnSync('ip', ['link', 'del', this.#toClients.outside])
    spawnSync('ip', ['netns', 'del', this.#name])
  }
}

function link(net: string, at: number, name: string): Link {
  const [, second, third] = name.split('-').slice(1)
  const letters = `t${second}-${third}-${at}`
  return {
    outside: letters,
    inside: `n${letters}`,
    here: `${net}.${at + 1}`,
    there: `${net}.${at + 2}`,
  }
}

function ip(...parameters: string[]): void {
  const { status, stderr } = spawnSync('ip', parameters, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`ip ${parameters.join(' ')}: ${stderr}`)
}

function relay(port: number, address: string): Promise<Server> {
  const server = createServer((client) => {
    const node = connect(port, address)
    pass(client, node)
    pass(node, client)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

function pass(from: Socket, to: Socket): void {
  from.setNoDelay(true)
  from.pipe(to)
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
}
