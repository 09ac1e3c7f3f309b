// The networks whose word about a client's address is believed (`listen.proxies`): by the PROXY
// protocol or by X-Forwarded-For. From everybody else both are ignored (SEC-69).

import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { ConfigError } from '../xmpp/errors.js'
import { plainAddress } from './addresses.js'

export class TrustedProxies {
  #networks = new BlockList()
  readonly empty: boolean

  /** '10.0.0.0/8', '2001:db8::/32', '127.0.0.1' */
  constructor(networks: readonly string[] = []) {
    this.empty = networks.length === 0
    for (const network of networks) this.#add(network)
  }

  #add(network: string): void {
    const [address = '', bits, ...rest] = network.trim().split('/')
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
    const most = family === 'ipv4' ? 32 : 128
    const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : most + 1
    if (!family || rest.length > 0 || length > most) {
      const message = `${network} is no network: an address or address/bits is wanted, such as 10.0.0.0/8`
      throw new ConfigError([{ message, path: 'listen.proxies' }])
    }
    this.#networks.addSubnet(address, length, family)
  }

  trusts(address: string): boolean {
    return !this.empty && this.#networks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
  }

  /**
   * Each proxy appends whom it saw: the first from the right that is none of ours is the client.
   * What stands further left was written by strangers.
   */
  clientOf(forwardedFor: string | undefined, peer: string): string {
    let client = peer
    for (const hop of (forwardedFor ?? '').split(',').slice(-MOST_HOPS).reverse()) {
      const address = addressOfHop(hop.trim())
      if (!this.trusts(client) || address === undefined) break
      client = address
    }
    return client
  }
}

const MOST_HOPS = 16

/** With or without a port: '192.0.2.1:4711', '[2001:db8::1]:4711' */
function addressOfHop(hop: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1]
  const withPort = /^([\d.]+):\d+$/.exec(hop)?.[1]
  return plainAddress(bracketed ?? withPort ?? hop)
}
