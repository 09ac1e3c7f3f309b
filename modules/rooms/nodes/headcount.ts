// Asks nodes which of their sessions are in a room, and answers for this one.

import type { Member } from '../../../lib/cluster/cluster.js'
import type { Host } from '../../../lib/core/host.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { Answers } from './census-taking.js'
import type { Guests } from './guests.js'
import type { Census } from './words.js'

/** Milliseconds: everybody in the room waits meanwhile. */
const PATIENCE = 1500

type Question =
  | { readonly room: string; readonly epoch: number }
  | { readonly room: string; readonly address: string }

/** What a node knows of an address: in the room, bound and not in the room, or nothing */
export type Whereabouts = 'in' | 'bound' | 'nowhere'

export class Headcount {
  readonly #host: Host
  readonly #guests: Guests
  readonly #topic: string
  readonly #ends: () => void

  constructor(host: Host, guests: Guests) {
    this.#host = host
    this.#guests = guests
    this.#topic = `rooms ${host.domain} headcount`
    this.#ends = host.server.talk.on(this.#topic, (question, from) =>
      this.#answer(question as Question, from),
    )
  }

  close(): void {
    this.#ends()
  }

  #answer(question: Question, from: string): Census | Whereabouts {
    if ('address' in question) return this.#find(question.room, question.address)
    const { members, life, node } = this.#host.server
    const owner = { node: from, life: from === node ? life : (members.lifeOf(from) ?? '') }
    return this.#guests.census(question.room, { epoch: question.epoch, owner })
  }

  #find(room: string, address: string): Whereabouts {
    if (this.#guests.find(room, address)) return 'in'
    const jid = Jid.parse(address)
    return this.#host.server.hosts.get(jid.domain)?.sessions.find(jid) ? 'bound' : 'nowhere'
  }

  /** All of a room, of each node; they believe nobody before this tenure any more. */
  async ask(room: string, epoch: number): Promise<Answers> {
    const { members } = this.#host.server
    const given: { member: Member; census: Census }[] = []
    const silent: string[] = []
    const each = members.all().map(async (member) => {
      try {
        given.push({ member, census: (await this.#askOne(member.node, { room, epoch })) as Census })
      } catch {
        silent.push(member.node)
      }
    })
    await Promise.all(each)
    return { given, silent }
  }

  async find(node: string, room: string, address: string): Promise<Whereabouts> {
    return (await this.#askOne(node, { room, address })) as Whereabouts
  }

  async #askOne(node: string, question: Question): Promise<unknown> {
    const { server } = this.#host
    if (node === server.node) return this.#answer(question, node)
    return server.talk.ask(node, this.#topic, question, PATIENCE)
  }
}
