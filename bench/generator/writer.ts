// Writes numbered messages to one address, a bounded number of them ahead of the acknowledgements
// (XEP-0198 §4): the server says how fast it can keep them.
import type { Connection, Receiver } from './connection.js'

const BATCH = 50
const AHEAD = 100
/** A server that acknowledges nothing for so long will not any more. */
const SILENCE_MS = 60_000

export class Writer implements Receiver {
  private readonly connection: Connection
  private readonly head: string
  private readonly tail: string
  private written = 0
  private acknowledged = 0
  /** Stanzas before the first message: the roster and the presence. */
  private readonly before = 2
  private goal = 0
  private settle: { done(): void; failed(error: Error): void } | undefined

  constructor(connection: Connection, to: string, body: string) {
    if (!connection.managed) throw new Error('the server has no stream management')
    this.connection = connection
    this.head = `<message type='chat' to='${to}' id='n`
    this.tail = `@@${body}</body></message>`
    connection.receiver = this
  }

  write(count: number): Promise<void> {
    this.goal += count
    return new Promise((done, fail) => {
      let seen = this.acknowledged
      const look = () => {
        if (seen === this.acknowledged) failed(this.silence())
        seen = this.acknowledged
      }
      const timer = setInterval(look, SILENCE_MS)
      const failed = (error: Error) => {
        clearInterval(timer)
        fail(error)
      }
      const ended = () => {
        clearInterval(timer)
        done()
      }
      this.settle = { done: ended, failed }
      this.more()
    })
  }

  private silence(): Error {
    return new Error(`${this.acknowledged} of ${this.goal} messages were acknowledged`)
  }

  private more(): void {
    while (this.written < this.goal && this.written - this.acknowledged <= AHEAD - BATCH) {
      for (let i = 0; i < BATCH && this.written < this.goal; i++) this.one()
      this.connection.send("<r xmlns='urn:xmpp:sm:3'/>")
    }
    this.connection.flush()
  }

  private one(): void {
    const number = ++this.written
    this.connection.send(`${this.head}${number}'><body>@@${number}${this.tail}`)
  }

  stanza(_: Connection, bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end)
    if (/^<message[^>]*type=['"]error/.test(text)) this.settle?.failed(new Error(text))
    if (!text.startsWith('<a ')) return
    this.acknowledged = Number(/ h=['"](\d+)/.exec(text)?.[1] ?? 0) - this.before
    if (this.acknowledged >= this.goal) this.settle?.done()
    else this.more()
  }

  lost(_: Connection, why: string): void {
    this.settle?.failed(new Error(`a writer was cut off: ${why}`))
  }
}
