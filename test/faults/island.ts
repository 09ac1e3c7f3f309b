// A namespace of the network for one node, with links to Redis, to PostgreSQL and to its clients, each of
// which can be cut. A cut is silent: an end of the link takes the other for a card that is not there, so
// nobody is told and nothing comes back; of one end alone, and what is said the other way still arrives.
// Clients dial loopback: what comes to a port there is led over their link. So is what the node says to
// PostgreSQL, which listens on loopback.

import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { hasProgram } from '../../bench/programs.js'
import { Relay } from './relay.js'

const LOOPBACK = '127.0.0.1'
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

export const LINKS = ['redis', 'postgres', 'clients'] as const
export type LinkName = (typeof LINKS)[number]

/** Which ends say nothing any more */
export type Silence = 'both' | 'here' | 'there'

export class Island {
  readonly redis: string
  readonly #name: string
  readonly #links: Readonly<Record<LinkName, Link>>
  readonly #relays: Relay[] = []

  /** One for each node; `redisAddresses` is where Redis has to listen for them. */
  static several(count: number, redisPort: number): Island[] {
    const missing = noIslands()
    if (missing) throw new Error(missing)
    const net = `10.${randomInt(200, 255)}.${randomInt(0, 256)}`
    return Array.from({ length: count }, (_, index) => new Island(net, index, redisPort))
  }

  private constructor(net: string, index: number, redisPort: number) {
    this.#name = `tercet-${net.replaceAll('.', '-')}-${index}`
    const [redis, postgres, clients] = LINKS.map((_, at) =>
      link(net, 16 * index + 4 * at, this.#name),
    ) as [Link, Link, Link]
    this.#links = { redis, postgres, clients }
    this.redis = `redis://${redis.here}:${redisPort}`
    left.add(this)
    ip('netns', 'add', this.#name)
    ip('-n', this.#name, 'link', 'set', 'lo', 'up')
    for (const each of [redis, postgres, clients]) this.#lay(each)
  }

  /** Where Redis has to listen for it */
  get redisHost(): string {
    return this.#links.redis.here
  }

  /** Where the node has to listen */
  get address(): string {
    return this.#links.clients.there
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

  cut(name: LinkName, silent: Silence): void {
    const { outside, inside, here, there } = this.#links[name]
    const nobody = ['lladdr', NOBODY, 'nud', 'permanent']
    if (silent !== 'there') ip('neigh', 'replace', there, 'dev', outside, ...nobody)
    if (silent !== 'here') ip('-n', this.#name, 'neigh', 'replace', here, 'dev', inside, ...nobody)
  }

  join(name: LinkName): void {
    const { outside, inside, here, there } = this.#links[name]
    forget('neigh', 'del', there, 'dev', outside)
    forget('-n', this.#name, 'neigh', 'del', here, 'dev', inside)
  }

  /** What comes to these ports of 127.0.0.1 goes to the same ports in there. */
  async lead(...ports: readonly number[]): Promise<void> {
    for (const port of ports)
      this.#relays.push(await Relay.open({ host: LOOPBACK, port }, { host: this.address, port }))
  }

  /** Where the node finds what listens on that port of loopback */
  async leadOut(port: number): Promise<string> {
    const host = this.#links.postgres.here
    this.#relays.push(await Relay.open({ host, port }, { host: LOOPBACK, port }))
    return host
  }

  remove(): void {
    if (!left.delete(this)) return
    for (const each of this.#relays) each.close()
    for (const { outside } of Object.values(this.#links)) forget('link', 'del', outside)
    forget('netns', 'del', this.#name)
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

/** It may not be there. */
function forget(...parameters: string[]): void {
  spawnSync('ip', parameters)
}
