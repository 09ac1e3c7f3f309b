// The other end of the control socket: asks the server that runs on a data folder.

import { createConnection } from 'node:net'
import { controlPath } from './control.js'
import type { ControlAnswer, ControlRefusal, ControlRequest } from './control.js'

const LONGEST_ANSWER = 256 * 1024 * 1024

/** Nobody listens there. */
export class NotRunning extends Error {
  override name = 'NotRunning'
}

/** The server understood and said no. */
export class Refused extends Error {
  override name = 'Refused'
  readonly refusal: ControlRefusal

  constructor(refusal: ControlRefusal) {
    super(refusal.text)
    this.refusal = refusal
  }
}

export async function askServer(folder: string, request: ControlRequest): Promise<unknown> {
  const line = await exchange(controlPath(folder), `${JSON.stringify(request)}\n`)
  const answer = JSON.parse(line) as ControlAnswer
  if ('error' in answer) throw new Refused(answer.error)
  return answer.result
}

function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: string[] = []
    let length = 0
    const socket = createConnection(path, () => socket.write(request))
    socket.setEncoding('utf8')
    socket.on('error', (error: NodeJS.ErrnoException) => reject(explained(error)))
    socket.on('close', () =>
      reject(new NotRunning('the server ended before it answered: see its log')),
    )
    socket.on('data', (chunk: string) => {
      chunks.push(chunk)
      length += chunk.length
      if (chunk.includes('\n')) resolve(chunks.join(''))
      else if (length <= LONGEST_ANSWER) return
      socket.destroy()
    })
  })
}

const ended = new Set(['EPIPE', 'ECONNRESET'])

function explained(error: NodeJS.ErrnoException): Error {
  if (ended.has(error.code ?? ''))
    return new NotRunning('the server ended before it answered: see its log')
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    return new NotRunning('the server is not running')
  if (error.code === 'EACCES')
    return new Refused({
      condition: 'forbidden',
      text: 'the server belongs to another user: ask as that user',
    })
  return error
}
