// Opens the ports of the configuration and hands what connects to the server; certificates of the
// hosts, limits per address, the HTTP routes.

import type { Server } from './server.js'

export class Listeners {
  readonly ports: { c2s: number[]; c2s_tls: number[]; http: number[]; https: number[] } = {
    c2s: [],
    c2s_tls: [],
    http: [],
    https: [],
  }

  static async open(_server: Server): Promise<Listeners> {
    return new Listeners()
  }

  async reload(): Promise<string[]> {
    return []
  }

  async stopAccepting(): Promise<void> {}

  async close(): Promise<void> {}
}
