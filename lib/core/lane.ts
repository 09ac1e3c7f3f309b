// The inbox of a session: stanzas of one stream are decided in the order in which they came (RFC 6120
// §10.1), one at a time where one must wait. Two kinds go on beside the lane: requests that only read,
// and messages on their way to the disk, which end in order by themselves. Where somebody counts what
// came, a stanza's place is on disk before it is counted as handled.

import { broken, failpoint } from '../ops/failpoint.js'
import type { Stanza } from '../xmpp/stanza.js'
import { HELD_BY_SESSION } from '../streams/flow.js'
import type { Session } from './session.js'
import type { Transit } from './transit.js'

/** LIM-open-reads: requests that only read and are not answered yet; the next one holds the lane. */
const MOST_READS = 32
/** LIM-open-commits: messages on their way to the disk; the next one holds the lane. */
const MOST_COMMITTING = 256
/** Milliseconds until a count that could not be written is tried again */
const RECOUNT = 1000

type Later = Promise<void> | void | undefined

export class Lane {
  readonly #session: Session
  #inbox: Stanza[] = []
  #busy = false
  #reads = 0
  #read: Transit | undefined
  #committing = 0
  /** When the last one that has to wait for its turn has it */
  #behind: Promise<void> | undefined
  #waiting: { ready: () => boolean; resolve: () => void }[] = []
  /** Decided when what is before them is done, and counted then */
  #turns = 0
  #received = 0
  /** Of counting: a count belongs to the one in which its stanza came. */
  #epoch = 0

  constructor(session: Session) {
    this.#session = session
  }

  /** How many stanzas came since they are counted */
  get received(): number {
    return this.#received
  }

  /** Counting goes on from here: what came beyond it and is not on disk comes again. */
  countFrom(received: number): void {
    this.#received = received
    this.#epoch++
  }

  /** How many will have been received when all that came is decided. */
  get arrived(): number {
    return this.#received + this.#turns + this.#inbox.length
  }

  get busy(): boolean {
    return this.#busy
  }

  /** Nothing of what came is under way. */
  get idle(): boolean {
    return !this.#busy && this.#reads === 0 && this.#committing === 0
  }

  /** Whether messages are on their way to the disk. */
  get committing(): boolean {
    return this.#committing > 0
  }

  receive(stanza: Stanza): void {
    if (this.#busy) {
      this.#inbox.push(stanza)
      return
    }
    const later = this.#decide(stanza)
    if (later) this.#hold(later)
  }

  /** An iq that only reads holds nobody, up to a bound: its answer comes when it comes. */
  reading(later: Promise<void>, transit: Transit): Promise<void> | undefined {
    transit.apart = true
    this.#read = transit
    const full = ++this.#reads > MOST_READS
    const done = later.finally(() => {
      // While one of them is open none is counted: those after it would count for it.
      if (--this.#reads === 0 && this.#read) this.handled(this.#read)
      this.#tell()
    })
    this.#session.host.server.pending(done)
    return full ? done : undefined
  }

  /** A message is on its way to the disk; the next ones need not wait for it, up to a bound. */
  beside(later: Promise<void>, transit: Transit): Promise<void> | undefined {
    transit.apart = true
    const { host } = this.#session
    const full = ++this.#committing >= MOST_COMMITTING || host.journal.pressed
    const done = later.then(() => {
      this.#committing--
      this.handled(transit)
      if (this.#waiting.length > 0 || this.idle) this.#tell()
    })
    if (!full) return undefined
    return done
  }

  /** When its turn has come; what came after it over the same stream does not overtake it. */
  inTurn(turn: Promise<void> | undefined, show: () => Later): Later {
    const before = this.#behind
    if (!turn && !before) return show()
    const behind = Promise.all([before, turn]).then(() => undefined)
    this.#behind = behind
    return behind.then(() => {
      if (this.#behind === behind) this.#behind = undefined
      return show()
    })
  }

  /** A stanza is decided and delivered: its place in the count goes to disk, if it is not there. */
  handled(transit: Transit): void {
    const { count, counted } = transit
    const { keeper, host } = this.#session
    if (!keeper || count === 0) return
    failpoint('after-deliver')
    if (counted || broken('ack-early')) keeper.committed(count)
    if (counted) return
    const entry = host.journal.entry()
    const { table, row } = keeper.mark(count)
    entry.put(table, row)
    const epoch = this.#epoch
    const done = host.journal.commit(entry).then(
      () => keeper.committed(count),
      () => this.#countLater(transit, epoch),
    )
    host.server.pending(done)
  }

  /** Nothing could be stored: it is not acknowledged until its count is, or that of a later one. */
  #countLater(transit: Transit, epoch: number): void {
    const session = this.#session
    if (transit.count < this.#received) return
    session.host.clock.after(RECOUNT, () => {
      if (epoch === this.#epoch && !session.closed) this.handled(transit)
    })
  }

  /** Resolves when everything that came so far is done; at once where it is. */
  drained(): Promise<void> | undefined {
    return this.#until(() => this.idle)
  }

  /** What waits is not heard any more. */
  drop(): void {
    this.#inbox.length = 0
  }

  #until(ready: () => boolean): Promise<void> | undefined {
    if (ready()) return undefined
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }))
  }

  #tell(): void {
    if (this.idle) this.#session.rested()
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter((waiting) => waiting.ready())
    if (ready.length === 0) return
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting))
    for (const { resolve } of ready) resolve()
  }

  #decide(stanza: Stanza): Promise<void> | void {
    const wait = this.#turnOf(stanza)
    if (!wait) return this.#submit(stanza)
    this.#turns++
    return wait.then(() => {
      this.#turns--
      return this.#submit(stanza)
    })
  }

  #submit(stanza: Stanza): Promise<void> | void {
    return this.#session.decide(stanza, this.#session.keeper ? ++this.#received : 0)
  }

  /** A message goes on after those before it; what may change or read what they leave does not. */
  #turnOf(stanza: Stanza): Promise<void> | undefined {
    if (stanza.kind !== 'message' && this.#committing > 0)
      return this.#until(() => this.#committing === 0)
    if (this.#reads > 0 && this.#session.keeper && stanza.type !== 'get')
      return this.#until(() => this.#reads === 0)
    return undefined
  }

  #hold(later: Promise<void>): void {
    this.#busy = true
    this.#session.stream?.flow.hold(HELD_BY_SESSION)
    later.then(
      () => this.#next(),
      (error) => {
        this.#session.host.failed('session', error)
        this.#next()
      },
    )
  }

  #next(): void {
    this.#busy = false
    while (!this.#busy && this.#inbox.length > 0) this.receive(this.#inbox.shift()!)
    if (this.#busy) return
    this.#session.stream?.flow.release(HELD_BY_SESSION)
    this.#tell()
  }
}
