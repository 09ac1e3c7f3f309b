// A port that leads to another one, in this process: the line between two programs, as bad as it is told
// to be. Slow and in small pieces, not read, or dead without a word: one side is gone and the other is not told.

import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Place {
  readonly host: string
  readonly port: number
}

export interface Weather {
  /** One way, give or take a half */
  readonly delayMs: number
  /** Bytes of a piece at most */
  readonly piece: number
}

export class Relay {
  readonly at: Place
  readonly #server: Server
  readonly #passages = new Set<Passage>()
  weather: Weather | undefined
  /** Who dialled may go; the other side does not hear of it. */
  silent = false

  static open(at: Place, to: Place): Promise<Relay> {
    return new Promise((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(at.port, at.host, () => resolve(new Relay(at, to, server)))
    })
  }

  private constructor(at: Place, to: Place, server: Server) {
    this.at = at
    this.#server = server
    server.on('connection', (near) => {
      const passage = new Passage(near, connect(to.port, to.host), this)
      this.#passages.add(passage)
      passage.over = () => this.#passages.delete(passage)
    })
  }

  /** The other side believes in these still. */
  get orphans(): number {
    return [...this.#passages].filter(({ orphan }) => orphan).length
  }

  /** Nothing more is read for some of those who dialled; what is said undoes it. */
  stall(chosen: () => boolean): () => void {
    const stalled = [...this.#passages].filter(chosen)
    for (const passage of stalled) passage.stall()
    return () => {
      for (const passage of stalled) passage.flow()
    }
  }

  /** What was asked arrives, no answer does, and then the line is dead for both. */
  cutUnanswered(afterMs: number): void {
    for (const passage of this.#passages) passage.cutUnanswered(afterMs)
  }

  close(): void {
    this.#server.close()
    for (const passage of this.#passages) passage.destroy()
  }
}

class Passage {
  readonly #near: Socket
  readonly #far: Socket
  readonly #back: Way
  orphan = false
  over: () => void = () => {}

  constructor(near: Socket, far: Socket, line: Pick<Relay, 'weather' | 'silent'>) {
    this.#near = near
    this.#far = far
    const on = new Way(near, far, line)
    this.#back = new Way(far, near, line)
    near.once('close', () => {
      if (line.silent && !far.destroyed) this.orphan = true
      else on.finish()
    })
    far.once('close', () => {
      this.#back.finish()
      this.over()
    })
  }

  stall(): void {
    this.#far.pause()
  }

  flow(): void {
    this.#far.resume()
  }

  cutUnanswered(afterMs: number): void {
    this.#back.muted = true
    setTimeout(() => this.destroy(), afterMs)
  }

  destroy(): void {
    this.#near.destroy()
    this.#far.destroy()
  }
}

interface Piece {
  readonly bytes: Buffer
  readonly due: number
}

/** One direction; pieces keep their order whatever the weather was when they came. */
class Way {
  muted = false
  readonly #to: Socket
  readonly #line: Pick<Relay, 'weather'>
  #waiting: Piece[] = []
  #timer: NodeJS.Timeout | undefined
  #finished = false

  constructor(from: Socket, to: Socket, line: Pick<Relay, 'weather'>) {
    this.#to = to
    this.#line = line
    from.setNoDelay(true)
    from.on('error', () => {})
    from.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  #take(bytes: Buffer): void {
    const { weather } = this.#line
    if (this.muted) return
    if (!weather && this.#waiting.length === 0) {
      this.#to.write(bytes)
      return
    }
    const { delayMs = 0, piece = bytes.length } = weather ?? {}
    for (let at = 0; at < bytes.length; at += piece) {
      const due = performance.now() + delayMs * (0.5 + Math.random())
      this.#waiting.push({ bytes: bytes.subarray(at, at + piece), due })
    }
    this.#go()
  }

  #go(): void {
    if (this.#timer) return
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const wait = next.due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined
          this.#go()
        }, wait)
        return
      }
      this.#to.write(next.bytes)
      this.#waiting.shift()
    }
    if (this.#finished) this.#to.end()
  }

  /** After what is still on its way */
  finish(): void {
    this.#finished = true
    this.#go()
  }
}
