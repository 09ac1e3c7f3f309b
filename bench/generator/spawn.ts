// Starts the generator on its core for one job and reads the outcome; where several play together, says
// when they are ready and tells them to go on.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job, Outcome } from '../job.js'
import { onGeneratorCore } from '../pinning.js'
import type { Word } from './conductor.js'

const MAIN = fileURLToPath(new URL('main.js', import.meta.url))
/** The generator keeps thousands of small strings for a moment; a larger nursery frees them cheaply. */
const NODE = [process.execPath, '--max-semi-space-size=32']
const READY = '{"ready":true}\n'

export class Player {
  readonly outcome: Promise<Outcome>
  /** Whether it is; false where it ended before. */
  readonly ready: Promise<boolean>
  private readonly child: ChildProcess
  private text = ''

  constructor(job: Job) {
    const command = onGeneratorCore([...NODE, MAIN, JSON.stringify(job)])
    const child = spawn(command[0]!, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.child = child
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    child.stdin.on('error', () => {})
    this.ready = new Promise((done) => {
      child.stdout.on('data', (bytes) => {
        this.text += bytes
        if (this.text.startsWith(READY)) done(true)
      })
      child.once('close', () => done(false))
    })
    this.outcome = new Promise((done, fail) => {
      child.on('error', fail)
      child.on('close', (code) => {
        process.off('exit', end)
        const told = this.text.startsWith(READY) ? this.text.slice(READY.length) : this.text
        if (told === '') fail(new Error(`the generator ended with ${code}`))
        else done(JSON.parse(told) as Outcome)
      })
    })
  }

  say(word: Word): void {
    this.child.stdin!.write(`${word}\n`)
  }
}

export function generate(job: Job): Promise<Outcome> {
  return new Player(job).outcome
}
