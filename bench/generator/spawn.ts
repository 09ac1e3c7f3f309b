// Starts the generator on its core for one job and reads the outcome.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Job, Outcome } from '../job.js'
import { onGeneratorCore } from '../pinning.js'

const MAIN = fileURLToPath(new URL('main.js', import.meta.url))
/** The generator keeps thousands of small strings for a moment; a larger nursery frees them cheaply. */
const NODE = [process.execPath, '--max-semi-space-size=32']

export function generate(job: Job): Promise<Outcome> {
  const command = onGeneratorCore([...NODE, MAIN, JSON.stringify(job)])
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  const end = () => child.kill('SIGKILL')
  process.once('exit', end)
  return new Promise((done, fail) => {
    let text = ''
    child.stdout.on('data', (bytes) => {
      text += bytes
    })
    child.on('error', fail)
    child.on('close', (code) => {
      process.off('exit', end)
      if (text === '') fail(new Error(`the generator ended with ${code}`))
      else done(JSON.parse(text) as Outcome)
    })
  })
}
