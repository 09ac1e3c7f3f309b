// A question of a module that each node answers, this one included: who is connected, end these sessions.
// Who asks hears also which nodes said nothing, and may have to tell people.

import type { Members } from '../cluster/cluster.js'
import { Refused, type Talk } from '../cluster/talk.js'
import type { Host } from './host.js'

export type Answer = (content: unknown) => unknown

export interface Answers<T> {
  readonly given: readonly T[]
  /** Nodes that did not answer */
  readonly silent: readonly string[]
}

interface Surroundings {
  readonly hosts: ReadonlyMap<string, Host>
  readonly members: Members
  readonly talk: Talk
}

type Question = readonly [domain: string, name: string, content: unknown]

const TOPIC = 'everywhere'

export class Everywhere {
  readonly #server: Surroundings

  constructor(server: Surroundings) {
    this.#server = server
    server.talk.on(TOPIC, (content) => this.#answer(content as Question))
  }

  async ask<T>(host: Host, name: string, content: unknown): Promise<Answers<T>> {
    const question: Question = [host.domain, name, content]
    const { members, talk } = this.#server
    const nodes = members.all().map(({ node }) => node)
    nodes.sort()
    const answers = await Promise.allSettled(
      nodes.map((node) =>
        node === members.self.node ? this.#answer(question) : talk.ask(node, TOPIC, question),
      ),
    )
    const silent: string[] = []
    const given: T[] = []
    for (const [at, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') given.push(answer.value as T)
      else if (nodes[at] === members.self.node) throw answer.reason
      else silent.push(nodes[at]!)
    }
    return { given, silent }
  }

  /** The others, who need not say anything. */
  tell(host: Host, name: string, content: unknown): void {
    const question: Question = [host.domain, name, content]
    this.#server.talk.tell(TOPIC, question)
  }

  async #answer([domain, name, content]: Question): Promise<unknown> {
    for (const { offer } of this.#server.hosts.get(domain)?.offered('answers') ?? [])
      if (Object.hasOwn(offer, name)) return offer[name]!(content)
    throw new Refused(`nobody here answers ${name}`)
  }
}

/** What people are told beside an answer that is not whole; '' where it is. */
export function without(silent: readonly string[]): string {
  return silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`
}
