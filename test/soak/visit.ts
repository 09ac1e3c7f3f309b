// A visitor: connects, says some of what a client would say, waits for some of the answers, and goes
// away in the middle of it, politely (FIN) or not (RST).

import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { connect } from 'node:tls'

export interface Ports {
  readonly c2s: number
  readonly c2sTls: number
  readonly http: number
  readonly https: number
}

export type Leave = 'end' | 'reset'

/** What to write, or what to wait for. */
export type Step = string | { readonly hears: string } | { readonly secures: true }

export const hears = (text: string): Step => ({ hears: text })
export const secures: Step = { secures: true }

const PATIENCE = 60_000

export class Visit {
  readonly #plain: Socket
  #socket: Socket
  #heard = ''
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#plain = socket
    this.#socket = socket
    socket.setTimeout(PATIENCE, () => socket.destroy())
    this.#listen()
  }

  /** Several addresses, so that ports last however fast visitors come. */
  static async to(port: number, number: number): Promise<Visit> {
    const localAddress = `127.0.0.${1 + (number % 20)}`
    const socket = createConnection({ port, host: '127.0.0.1', localAddress, noDelay: true })
    socket.on('error', () => {})
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    return new Visit(socket)
  }

  async takes(step: Step): Promise<void> {
    if (typeof step === 'string') this.#socket.write(step, 'latin1')
    else if ('secures' in step) await this.#secure()
    else await this.#hear(step.hears)
  }

  async leaves(how: Leave): Promise<void> {
    if (this.#plain.closed) return
    const gone = once(this.#plain, 'close')
    if (how === 'reset') this.#plain.resetAndDestroy()
    else this.#socket.end()
    await gone
  }

  async #secure(): Promise<void> {
    this.#plain.removeAllListeners('data')
    this.#socket = connect({ socket: this.#plain, rejectUnauthorized: false })
    this.#socket.on('error', () => this.#plain.destroy())
    this.#socket.on('close', () => this.#plain.destroy())
    await Promise.race([once(this.#socket, 'secureConnect'), once(this.#plain, 'close')])
    this.#heard = ''
    this.#listen()
  }

  #listen(): void {
    this.#socket.on('data', (chunk: Buffer) => {
      this.#heard += chunk.toString('latin1')
      this.#wake()
    })
    for (const event of ['end', 'close']) this.#socket.on(event, () => this.#wake())
    this.#socket.on('end', () => this.#socket.end())
  }

  async #hear(text: string): Promise<void> {
    while (!this.#heard.includes(text)) {
      if (this.#plain.destroyed || this.#socket.readableEnded)
        throw new Error(`instead of ${text}: ${JSON.stringify(this.#heard.slice(-300))}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#heard = this.#heard.slice(this.#heard.indexOf(text) + text.length)
  }
}
