// What a node that ended without a word leaves behind: sessions that others still believe in. When the node
// is certainly over, whoever is elected tells of those that nobody may take up any more, and takes their
// entries out of the directory. A session that is awaited stays until it is not.

import { Jid } from '../xmpp/jid.js'
import type { Host } from './host.js'
import type { Server } from './server.js'

/** Milliseconds */
const LOOK = 10_000
/** Longer than any life is silent */
const SILENCE = 90_000
/** LIM-mourned: accounts at a time */
const PAGE = 500

/** A session of a life that is over */
export interface Lost {
  readonly jid: Jid
  /** Of its account */
  readonly number: number
  readonly life: string
}

export class Mourning {
  readonly #server: Server

  constructor(server: Server) {
    this.#server = server
    if (!server.whereabouts) return
    const run = () => this.#run()
    server.schedule.add('cluster', { name: 'sessions of the dead', every: LOOK, once: true, run })
  }

  async #run(): Promise<void> {
    const { members, whereabouts, clock, fencing } = this.#server
    if (!members.sure) return
    const alive = members.all().map(({ life }) => life)
    const silent = clock.now() - SILENCE
    for (const life of await whereabouts!.silent(alive, silent)) {
      if (await this.#isThere(life)) continue
      // Whose node nobody knows: that no node has this life is known.
      if (await fencing.takeOver({ node: '', life })) await this.#mourn(life)
    }
  }

  /** Also who was silent for a while, and who cannot be asked about. */
  async #isThere(life: string): Promise<boolean> {
    const { members } = this.#server
    try {
      await members.say()
    } catch {
      return true
    }
    return members.all().some((member) => member.life === life)
  }

  async #mourn(life: string): Promise<void> {
    const { whereabouts } = this.#server
    let after = 0
    for (let more = true; more && !this.#server.stopping; ) {
      const page = await whereabouts!.of(life, after, PAGE)
      const done: number[] = []
      for (const { account, address } of page)
        if (await this.#bury(Jid.parse(address), account, life)) done.push(account)
      if (done.length > 0) await whereabouts!.drop(life, done)
      after = page.at(-1)?.account ?? after
      more = page.length === PAGE
    }
  }

  /** Whether nothing of it is left. */
  async #bury(account: Jid, number: number, life: string): Promise<boolean> {
    const { directory, hosts } = this.#server
    const host = hosts.get(account.domain)
    if (!host) return true
    let done = true
    directory.doubt(account.text)
    const there = await directory.lookup(account.text)
    const left = await directory.left(account.text, life)
    if (!left) return false
    for (const place of left) {
      const lost = { jid: account.withResource(place.resource), number, life }
      if (await isAwaited(host, lost)) done = false
      else {
        await directory.remove(account.text, place.id)
        // Somebody may have bound the address since, or goes on with the session.
        const again = there.some(({ resource }) => resource === place.resource)
        if (place.available && !again) await host.events.emit('session:lost', lost)
      }
    }
    return done
  }
}

async function isAwaited(host: Host, lost: Lost): Promise<boolean> {
  for (const { owner, offer } of host.offered('awaited')) {
    try {
      if (await offer(lost)) return true
    } catch (error) {
      host.failed(owner, error)
      return true
    }
  }
  return false
}
