// How long messages stay. The log is one for all hosts of a server, so each message stays as long as the
// most generous of them wants.

import type { Host } from '../../lib/core/host.js'

export class Expiry {
  readonly #host: Host
  #stopped = false

  constructor(host: Host) {
    this.#host = host
  }

  /** In steps that hold nobody up for long; stopping waits for the step that is under way. */
  run(): Promise<void> {
    const { server, clock } = this.#host
    const before = clock.now() - longestKept(this.#host)
    return before > 0 ? server.pending(this.#expire(before)) : Promise.resolve()
  }

  stop(): void {
    this.#stopped = true
  }

  async #expire(before: number): Promise<void> {
    while (!this.#stopped && (await this.#host.messages.expire(before)));
  }
}

function longestKept({ server }: Host): number {
  const times = [...server.hosts.values()].flatMap(({ modules }) => {
    const archive = modules.get('archive')?.offers.provides as { kept: number } | undefined
    return archive?.kept ?? []
  })
  return Math.max(...times)
}
