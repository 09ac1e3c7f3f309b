// Sessions that another life of a node has, or had: nobody makes one again that this life may still write.
// One that runs is asked for it (releasing.ts); one that is over is fenced first. Who does neither for long
// hangs: its client is told to come again.

import { Refused, Unanswered } from '../../lib/cluster/talk.js'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { memberIn } from './registry.js'
import { type Asked, type Released, topicOf } from './releasing.js'

/** Milliseconds: longer than a node that hangs stays listed */
const PATIENCE = 20_000
const PAUSE = 1000

export class Elsewhere {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  /** Resolves when that life lets it go, or says why not. */
  async release(life: string, asked: Asked): Promise<Released> {
    const { clock, server } = this.#host
    for (const until = clock.now() + PATIENCE; ; ) {
      const released = await this.#try(life, asked)
      if (released) return released
      if (clock.now() >= until || server.stopping)
        throw new StanzaError('resource-constraint', 'the node that has it does not answer')
      await new Promise<void>((resolve) => clock.after(PAUSE, resolve))
    }
  }

  async #try(text: string, asked: Asked): Promise<Released | undefined> {
    const { members, talk, fencing } = this.#host.server
    const member = memberIn(text)
    try {
      if (members.lifeOf(member.node) === member.life)
        return (await talk.ask(member.node, topicOf(this.#host.domain), asked)) as Released
    } catch (error) {
      // It could not do it now, or knows nothing of this yet.
      if (error instanceof Refused) return undefined
      if (!(error instanceof Unanswered)) throw error
    }
    return (await fencing.takeOver(member)) ? { is: 'free' } : undefined
  }
}
