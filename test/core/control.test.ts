// The control socket: who may open it, what it answers, what it refuses, and that one data folder has
// one server.

import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { Test } from 'tap'
import { AlreadyRunning, ControlSocket, controlPath } from '../../lib/core/control.js'
import type { ControlRequest } from '../../lib/core/control.js'
import { NotRunning, Refused, askServer } from '../../lib/core/control-client.js'
import { ConfigError, StanzaError } from '../../lib/xmpp/errors.js'

function folderFor(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-control-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(t: Test, answer: (request: ControlRequest) => unknown = (request) => request) {
  const folder = folderFor(t)
  const bugs: unknown[] = []
  const control = await ControlSocket.open({
    folder,
    answer: async (request) => answer(request),
    failed: (error) => void bugs.push(error),
  })
  t.teardown(() => control.close())
  return { folder, control, bugs }
}

/** A connection that speaks bytes. */
function raw(folder: string): { socket: Socket; all: Promise<string> } {
  const socket = createConnection(controlPath(folder))
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  const all = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(text))
    socket.on('error', () => resolve(text))
  })
  return { socket, all }
}

test('a request is answered with what its command returns', async (t) => {
  const { folder } = await open(t)
  const request = { command: 'user add', args: { jid: 'romeo@ä.example' }, host: 'ä.example' }
  t.same(await askServer(folder, request), request)
})

test('nobody else may open it, and it goes when the server goes', async (t) => {
  const { folder, control } = await open(t)
  t.equal(statSync(controlPath(folder)).mode & 0o777, 0o600)
  await control.close()
  t.notOk(existsSync(controlPath(folder)))
  await t.rejects(askServer(folder, { command: 'x', args: {} }), NotRunning)
})

test('a second server on the same folder is refused', async (t) => {
  const { folder } = await open(t)
  await t.rejects(
    ControlSocket.open({ folder, answer: async () => 0, failed() {} }),
    AlreadyRunning,
  )
  t.same(
    await askServer(folder, { command: 'x', args: {} }),
    { command: 'x', args: {} },
    'the first one lives on',
  )
})

test('what a killed server left is replaced', async (t) => {
  for (const leave of [leaveSocket, (path: string) => writeFileSync(path, '')]) {
    const folder = folderFor(t)
    await leave(controlPath(folder))
    const control = await ControlSocket.open({ folder, answer: async () => 'here', failed() {} })
    t.equal(await askServer(folder, { command: 'x', args: {} }), 'here')
    await control.close()
  }
})

// A process that is killed leaves its socket: a descriptor that is closed behind Node's back does too.
async function leaveSocket(path: string): Promise<void> {
  const { execFileSync } = await import('node:child_process')
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  try {
    execFileSync(process.execPath, ['-e', code], { stdio: 'ignore' })
  } catch {
    // killed, as meant
  }
}

test('refusals are told, bugs are not', async (t) => {
  const { folder, bugs } = await open(t, ({ command }) => {
    if (command === 'refuse') throw new StanzaError('conflict', 'there is one already')
    if (command === 'configuration')
      throw new ConfigError([{ message: 'no', path: 'domain', line: 3 }])
    throw new Error('the secret of the house')
  })
  const refusal = async (command: string) => {
    const refused = await askServer(folder, { command, args: {} }).catch((error: unknown) => error)
    return refused instanceof Refused ? refused.refusal : refused
  }
  t.same(await refusal('refuse'), { condition: 'conflict', text: 'there is one already' })
  t.match(await refusal('configuration'), {
    condition: 'configuration',
    faults: [{ path: 'domain', line: 3 }],
  })
  t.same(await refusal('bug'), {
    condition: 'internal-server-error',
    text: "a bug: the server's log has more",
  })
  t.match((bugs[0] as Error).message, 'the secret of the house')
})

test('requests of one connection are answered in order, ill-formed ones too', async (t) => {
  const { folder } = await open(t, async ({ command }) => {
    if (command === 'slow') await new Promise((resolve) => setImmediate(resolve))
    return command
  })
  const { socket, all } = raw(folder)
  const lines = [
    '{"command":"slow"}',
    'nonsense',
    '[]',
    '{"command":"a","args":[]}',
    '{"command":"a","host":1}',
    '{"command":"last"}',
  ]
  socket.end(`${lines.join('\n')}\n`)
  const answers = (await all)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.equal(answers[0].result, 'slow')
  t.same(
    answers.slice(1, 5).map(({ error }) => error.condition),
    ['bad-request', 'bad-request', 'bad-request', 'bad-request'],
  )
  t.equal(answers[5].result, 'last')
})

test('a line without an end does not fill memory', async (t) => {
  const { folder } = await open(t)
  const { socket, all } = raw(folder)
  socket.write('x'.repeat(1024 * 1024 + 100_000))
  t.equal(await all, '', 'the connection is closed without an answer')
})

test('at most 16 connections are kept', async (t) => {
  const { folder } = await open(t)
  const connections = Array.from({ length: 17 }, () => raw(folder))
  const ended = await Promise.race(connections.map(async ({ all }, at) => [at, await all]))
  t.same(ended, [16, ''])
  for (const { socket } of connections) socket.destroy()
})

test('a folder whose path is too long for a socket is told so', (t) => {
  t.throws(() => controlPath(`/${'deep/'.repeat(40)}`), ConfigError)
  t.equal(controlPath('/var/lib/tercet'), '/var/lib/tercet/control.sock')
  t.end()
})

test('an answer that does not come is an error that tells', async (t) => {
  const folder = folderFor(t)
  const deaf = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => deaf.listen(controlPath(folder), resolve))
  t.teardown(() => deaf.close())
  await t.rejects(askServer(folder, { command: 'x', args: {} }), {
    message: /ended before it answered/,
  })
})
