// `tercet start` as people and scripts meet it: ready, accounts over the control socket, reload, signals.

import { existsSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { freePorts, place, quietConfig } from './program.js'

test('a server starts, takes accounts, lists them and ends with 0 on SIGTERM', async (t) => {
  const { yaml, ports } = await quietConfig()
  const { start, run, folder } = place(t, yaml)
  const server = await start(['start'])
  t.match(server.text(), /^Tercet \d/m)
  t.match(server.text(), new RegExp(`data +${join(folder, 'tercet-data')}`))
  t.match(server.text(), /domain +localhost/)
  t.match(server.text(), new RegExp(`127\\.0\\.0\\.1:${ports[0]}`))
  t.match(server.text(), /there is no account yet: (npx )?tercet user add NAME@localhost/)

  const added = await run(['user', 'add', 'romeo@localhost', '--generate', '--json'])
  t.equal(added.code, 0)
  t.match(JSON.parse(added.out), [{ jid: 'romeo@localhost', password: /^.{16,}$/ }])
  t.match(
    await run(['user', 'add', 'juliet@localhost', '--password-stdin'], 'a rose by any name\n'),
    {
      code: 0,
      out: 'juliet@localhost was created\n',
    },
  )
  t.match(await run(['user', 'add', 'romeo@localhost', '--generate']), {
    code: 1,
    err: /exists already/,
  })
  const listed = await run(['user', 'list', '--json'])
  t.same(
    JSON.parse(listed.out).map(({ jid }: { jid: string }) => jid),
    ['romeo@localhost', 'juliet@localhost'],
  )
  t.match((await run(['user', 'list'])).out, /^jid +number.*\nromeo@localhost +1 /)

  server.process.kill('SIGTERM')
  const { code } = await server.ended
  t.equal(code, 0)
  t.match(server.log(), /SIGTERM: stopping/)
  t.notOk(existsSync(join(folder, 'tercet-data', 'control.sock')))
})

test('a second server on the same data is refused, and the first lives on', async (t) => {
  const { yaml } = await quietConfig()
  const { start, run, folder } = place(t, yaml)
  await start(['start'])
  t.match(await run(['start']), { code: 1, err: /a server is running on .* already/ })
  t.match(await run(['status', '--json']), { code: 0, out: /"domain": "localhost"/ })
  t.equal(statSync(join(folder, 'tercet-data')).mode & 0o077, 0, 'the data is nobody else’s')
  t.equal(statSync(join(folder, 'tercet-data', 'control.sock')).mode & 0o777, 0o600)
})

test('a port that is taken is told, with its number', async (t) => {
  const { yaml, ports } = await quietConfig()
  await place(t, yaml).start(['start'])
  const { code, err } = await place(t, yaml).run(['start'])
  t.equal(code, 4)
  t.match(err, new RegExp(`port (${ports.join('|')}): `))
})

test('a configuration with faults does not start: all are told, exit code 4', async (t) => {
  const { run, folder } = place(t, 'domian: a.example\nlimits: of\n')
  const { code, err } = await run(['start'])
  t.equal(code, 4)
  t.match(err, /1:1: domian[\s\S]*2:9: limits[\s\S]*2 faults/)
  t.notOk(existsSync(join(folder, 'tercet-data')), 'nothing was made')
})

test('what the system refuses is told in words, without a stack', async (t) => {
  const { run, folder } = place(t)
  writeFileSync(join(folder, 'file'), '')
  for (const data of ['file', 'file/below']) {
    const { code, err } = await run(['start', '--set', `data=${data}`])
    t.equal(code, 1)
    t.match(err, /^the data folder cannot be used .*: a file is in its way: see data\n$/)
  }
  const [port] = await freePorts(1)
  const { code, err } = await run([
    'start',
    '--set',
    `database=postgres://romeo@127.0.0.1:${port}/tercet`,
  ])
  t.equal(code, 1)
  t.match(err, /^the database does not answer \(.*\): start it, or see database\n$/)
})

test('reload says what changed, and keeps the old configuration where the new has faults', async (t) => {
  const { yaml } = await quietConfig('registration: invite\n')
  const { start, run, folder } = place(t, yaml)
  const server = await start(['start'])
  const file = join(folder, 'tercet.yaml')
  t.match(await run(['reload']), { code: 0, out: 'nothing changed\n' })
  writeFileSync(file, yaml.replace('invite', 'closed'))
  t.match(await run(['reload']), { code: 0, out: /registration/ })
  writeFileSync(file, yaml.replace('invite', 'clsed'))
  t.match(await run(['reload']), {
    code: 4,
    err: /registration: one of closed, invite, open is wanted/,
  })
  server.process.kill('SIGHUP')
  await server.logs(/the old configuration stays/)
  writeFileSync(file, yaml.replace('invite', 'open'))
  server.process.kill('SIGHUP')
  await server.logs(/reload: done/)
  t.match(await run(['user', 'list']), { code: 0 })
})

test('clients are told that the server goes (system-shutdown, RFC 6120 §4.9.3.20)', async (t) => {
  const { yaml, ports } = await quietConfig('encryption: optional\n')
  const server = await place(t, yaml).start(['start'])
  const socket = createConnection(ports[0]!, '127.0.0.1')
  let text = ''
  const features = new Promise<void>((resolve) => {
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.includes('</stream:features>')) resolve()
    })
  })
  socket.write(
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='localhost'>",
  )
  await features
  const closed = new Promise((resolve) => socket.on('close', resolve))
  server.process.kill('SIGTERM')
  t.equal((await server.ended).code, 0)
  await closed
  t.match(text, /<system-shutdown/)
  t.match(text, /<\/stream:stream>$/)
})

test('the demonstration has two people with passwords, on this machine only, whatever tercet.yaml says', async (t) => {
  const [c2s, c2sTls, http, https] = await freePorts(4)
  const ports = { c2s, c2s_tls: c2sTls, http, https }
  const set = Object.entries(ports).flatMap(([name, port]) => ['--set', `listen.${name}=${port}`])
  const { start, run } = place(
    t,
    'domain: real.example\ndatabase: postgres://romeo@127.0.0.1:1/real\n',
  )
  const demo = await start(['demo', ...set, '--set', 'password_rounds=10'])
  t.match(demo.text(), new RegExp(`clients \\(STARTTLS\\) 127\\.0\\.0\\.1:${c2s}`))
  t.match(demo.text(), /romeo@localhost +password [\w-]{12}\n/)
  t.match(demo.text(), /juliet@localhost +password [\w-]{12}\n/)
  t.match(await run(['user', 'list', '--set', 'data=tercet-demo', '--json']), {
    code: 0,
    out: /juliet@localhost/,
  })
  demo.process.kill('SIGINT')
  t.equal((await demo.ended).code, 0)
})
