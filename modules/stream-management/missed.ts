// What a managed session comes to by the message log: because its client takes less than it is sent, or
// because the session was made again after its process had ended.

import { CatchUp } from '../../lib/core/catch-up.js'
import type { Session } from '../../lib/core/session.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { late } from '../../lib/xmpp/held-back.js'

export class Missed {
  readonly #session: Session
  readonly #room: () => boolean
  #restored = false
  /** After this number there were messages for the account when it did not take any; 0 for none. */
  #leftFrom = 0

  constructor(session: Session, room: () => boolean) {
    this.#session = session
    this.#room = room
  }

  /** Everything after this number comes from the log, unless somebody sees to that already. */
  fallBehind(after: number): void {
    this.#session.behind ??= this.#catchUp(after)
  }

  /** The same for a session that was made again. */
  restore(after: number): void {
    this.#restored = true
    this.#session.behind = this.#catchUp(after)
  }

  run(): void {
    const { behind, host } = this.#session
    if (behind) host.server.pending(behind.run())
  }

  /**
   * It is available: what was left out of what it missed is for it now, before anything that comes. Who
   * has it catch up already is done first, and says so.
   */
  more(): void {
    const { behind, available, priority } = this.#session
    if (this.#leftFrom === 0 || behind || !available || priority < 0) return
    // Nothing else was left out: a copy that it was not to have then would come after what is newer.
    this.#session.behind = this.#catchUp(this.#leftFrom, ({ to }) => to.isBare)
    this.#leftFrom = 0
    this.#restored = false
    this.run()
  }

  #catchUp(after: number, isMeant: (envelope: Envelope) => boolean = () => true): CatchUp {
    const session = this.#session
    return new CatchUp(session, after, {
      flags: 0,
      unlikely: this.#restored,
      room: this.#room,
      amend: (envelope, { id }) => {
        if (session.position.has(id) || !isMeant(envelope)) return undefined
        if (!this.#wants(envelope)) return this.#leaveOut(id)
        return late(envelope, session.host.jid.attr)
      },
    })
  }

  /** RFC 6121 §8.5.2.2.1: what is for the account goes to who wants it. */
  #wants({ to }: Envelope): boolean {
    const { available, priority } = this.#session
    return !to.isBare || (available && priority >= 0)
  }

  /** Its client's first presence may be among what is sent again: then this was for it too. */
  #leaveOut(id: number): undefined {
    if (this.#restored && this.#leftFrom === 0) this.#leftFrom = id - 1
    return undefined
  }
}
