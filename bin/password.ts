// Secrets of a command: asked on the terminal, read from standard input, or left to the server to
// make. Never an argument: arguments are seen by everybody on the machine and kept in histories.

import { createInterface } from 'node:readline/promises'
import type { Interface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { UsageError } from './exit-codes.js'

const LONGEST = 4096

/** Twice, so that a slip does not lock anybody out. */
export async function askSecret(name: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new UsageError(
      `there is no terminal to ask for the ${name} on: use --${name}-stdin or --generate`,
    )
  }
  const lines = silentLines()
  try {
    const first = await ask(lines, `${name}: `)
    if (first === '') throw new UsageError(`an empty ${name} is not taken`)
    if (first !== (await ask(lines, `${name} again: `))) {
      throw new UsageError('these two differ: nothing was changed')
    }
    return first
  } finally {
    lines.close()
  }
}

// What is typed is echoed into nothing; one interface for both questions, because between two the
// terminal would echo by itself.
function silentLines(): Interface {
  const output = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  lines.on('SIGINT', () => {
    process.stderr.write('\n')
    process.exit(130)
  })
  return lines
}

async function ask(lines: Interface, prompt: string): Promise<string> {
  process.stderr.write(prompt)
  const answer = await lines.question('')
  process.stderr.write('\n')
  return answer
}

/** The first line of standard input. */
export async function readSecret(name: string): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk
    if (text.includes('\n') || text.length > LONGEST) break
  }
  const line = text.split(/\r?\n/, 1)[0]!
  if (line === '' || line.length > LONGEST)
    throw new UsageError(`standard input brought no ${name}`)
  return line
}
