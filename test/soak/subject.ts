// The process under test, as its parent sees it.

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Measure, Said } from './server.js'
import type { Ports } from './visit.js'

const program = fileURLToPath(new URL('./server.js', import.meta.url))

export class Subject {
  readonly ports: Ports
  readonly #child: ChildProcess

  static async start(): Promise<Subject> {
    const child = fork(program, [], { execArgv: ['--expose-gc', '--single-threaded-gc'] })
    const said = await heard(child)
    if (!('ports' in said)) throw new Error('the server did not say where it listens')
    return new Subject(child, said.ports)
  }

  private constructor(child: ChildProcess, ports: Ports) {
    this.#child = child
    this.ports = ports
  }

  async measure(): Promise<Measure> {
    this.#child.send('measure')
    const said = await heard(this.#child)
    if (!('measure' in said)) throw new Error('the server did not measure itself')
    return said.measure
  }

  async stop(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.disconnect()
    await gone
  }
}

function heard(child: ChildProcess): Promise<Said> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the server ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (said) => {
      child.off('exit', ended)
      resolve(said as Said)
    })
  })
}
