// One reader of readers.ts: what it got, in which order, and its way back when the server closed
// its stream. A message carries `@@NUMBER@@` in its body, from 1 on.
import type { Job } from '../job.js'
import { ArchiveQueries } from './archive-queries.js'
import { Connection, type Receiver } from './connection.js'
import { LoginSteps } from './login.js'

const NUMBER = /@@(\d+)@@/
const PAGE = 250

export class Reader implements Receiver {
  readonly address: string
  private readonly job: Job
  private connection: Connection
  private readonly seen: Uint8Array
  private highest = 0
  arrived = 0
  twice = 0
  disordered = 0
  fromArchive = 0
  closed = false
  resumed = false
  returning = false

  constructor(connection: Connection, job: Job, total: number) {
    this.job = job
    this.connection = connection
    this.address = `${job.login.prefix}${connection.index}@${job.target.domain}`
    this.seen = new Uint8Array(total + 1)
    connection.receiver = this
  }

  stop(): void {
    this.connection.pause()
  }

  goOn(): void {
    this.connection.resume()
  }

  stanza(_: Connection, bytes: Buffer, start: number, end: number): void {
    const number = this.numberIn(bytes.toString('latin1', start, end))
    if (number === 0) return
    if (this.seen[number]) {
      this.twice++
      return
    }
    if (number < this.highest) this.disordered++
    this.highest = Math.max(this.highest, number)
    this.seen[number] = 1
    this.arrived++
  }

  private numberIn(text: string): number {
    const number = text.startsWith('<message') ? Number(NUMBER.exec(text)?.[1] ?? 0) : 0
    return number < this.seen.length ? number : 0
  }

  /** The stream is resumed, or a new session takes what is delivered to it. */
  lost(connection: Connection, why: string): void {
    if (connection !== this.connection) return
    if (!this.closed) process.stderr.write(`reader ${connection.index}: ${why}\n`)
    this.closed = true
    this.returning = true
    const { index, resumption, handled } = connection
    const user = `${this.job.login.prefix}${index}`
    const steps = new LoginSteps(user, this.job.login, {
      ready: (fresh) => this.returned(fresh),
      failed: (_, reason) => {
        this.returning = false
        process.stderr.write(`${user} could not come back: ${reason}\n`)
      },
      ...(resumption !== '' && { resume: { id: resumption, handled } }),
    })
    // What follows the login at once belongs to the reader as well.
    steps.others = (text) => this.other(text)
    this.connection = new Connection(index, this.job.target, steps)
  }

  private other(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    this.stanza(this.connection, bytes, 0, bytes.length)
  }

  private returned(connection: Connection): void {
    this.returning = false
    this.resumed = connection.resumed
    connection.receiver = this
  }

  get missing(): number {
    let missing = 0
    for (let number = 1; number < this.seen.length; number++) if (!this.seen[number]) missing++
    return missing
  }

  /** What no stream brought may be in the archive. */
  async lookUp(): Promise<void> {
    if (this.missing === 0) return
    const queries = new ArchiveQueries(this.connection, { texts: true })
    let page = ''
    for (;;) {
      const answer = await queries.ask({ page, max: PAGE }).catch(() => undefined)
      if (answer === undefined) return
      for (const text of answer.texts) this.found(this.numberIn(text))
      if (answer.complete || answer.results === 0) return
      page = `<after>${answer.last}</after>`
    }
  }

  private found(number: number): void {
    if (number === 0 || this.seen[number]) return
    this.seen[number] = 1
    this.fromArchive++
  }
}
