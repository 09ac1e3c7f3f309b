// Commands: arguments are checked against their declaration, and the right host runs them.

import { test } from 'tap'
import { type Command, type Parameters, readArguments } from '../../lib/core/commands.js'
import { defineModule } from '../../lib/core/module.js'
import type { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { DOMAIN, world } from '../world/world.js'

function command(parameters: Parameters): Command {
  return { name: 'do', summary: 'Does', allow: 'admin', parameters, run: () => ({}) }
}

function refusal(parameters: Parameters, given: Record<string, unknown>): StanzaError {
  try {
    readArguments(command(parameters), given)
  } catch (error) {
    return error as StanzaError
  }
  throw new Error('it was not refused')
}

test('each kind of argument is read', async (t) => {
  const doc = ''
  const args = readArguments(
    command({
      jid: { kind: 'jid', doc },
      jids: { kind: 'jids', doc },
      lines: { kind: 'lines', doc },
      list: { kind: 'lines', doc },
      integer: { kind: 'integer', doc },
      on: { kind: 'flag', doc },
      off: { kind: 'flag', doc },
      one: { kind: 'flag', doc },
      choice: { kind: 'choice', choices: ['a', 'b'], doc },
      text: { kind: 'text', doc },
      absent: { kind: 'text', doc },
      cleared: { kind: 'text', doc },
    }),
    {
      jid: 'Romeo@Capulet.Example',
      jids: 'a@x.example, b@x.example\nc@x.example,',
      lines: 'one\ntwo',
      list: ['one', 2],
      integer: '-12',
      on: 'true',
      off: false,
      one: '1',
      choice: 'b',
      text: 7,
      cleared: '',
    },
  )
  t.ok((args.jid as Jid).equals(Jid.parse('romeo@capulet.example')))
  t.same(args.jids.map(String), ['a@x.example', 'b@x.example', 'c@x.example'])
  t.same(args.lines, ['one', 'two'])
  t.same(args.list, ['one', '2'])
  t.equal(args.integer, -12)
  t.same([args.on, args.off, args.one], [true, false, true])
  t.equal(args.choice, 'b')
  t.equal(args.text, '7')
  t.notOk('absent' in args)
  t.notOk('cleared' in args)
})

test('everything that is wrong is named at once', async (t) => {
  const error = refusal(
    {
      jid: { kind: 'jid', doc: '' },
      many: { kind: 'integer', doc: '' },
      how: { kind: 'choice', choices: ['a', 'b'], doc: '' },
      sure: { kind: 'flag', doc: '' },
      name: { kind: 'text', required: true, doc: 'what it is called' },
      note: { kind: 'text', required: true, doc: 'what it is about' },
    },
    { jid: 'a@b@c', many: '1.5', how: 'c', sure: 'maybe', note: '', extra: 1, toString: 2 },
  )
  t.equal(error.condition, 'bad-request')
  for (const said of [
    /there is no parameter extra/,
    /there is no parameter toString/,
    /jid: /,
    /many: a whole number is wanted/,
    /how: one of a, b is wanted/,
    /sure: true or false is wanted/,
    /name is needed: what it is called/,
    /note is needed: what it is about/,
  ])
    t.match(error.text, said)
})

const where = defineModule({
  name: 'where',
  summary: 'Says where it runs',
  setup: () => ({
    commands: [
      {
        name: 'where',
        summary: 'Says where it runs',
        allow: 'admin' as const,
        parameters: {},
        run: (_args, { host, by }) => ({ note: `${host.domain} ${by ?? 'nobody'}` }),
      },
    ],
  }),
})

test('a command runs on the host that is named, and says what it does not find', async (t) => {
  const { server } = await world(t, { modules: [where], hosts: ['verona.example'] })
  const nurse = Jid.parse(`nurse@${DOMAIN}`)
  t.equal((await server.run('verona.example', 'where', {})).note, 'verona.example nobody')
  t.equal((await server.run(DOMAIN, 'where', {}, nurse)).note, `${DOMAIN} nurse@${DOMAIN}`)
  t.equal((await server.run(undefined, 'where', {})).note, `${DOMAIN} nobody`)
  await t.rejects(server.run('mantua.example', 'where', {}), /there is no host mantua\.example/)
  await t.rejects(server.run(DOMAIN, 'whither', {}), /there is no command 'whither'/)
  t.equal(server.commands().filter(({ name }) => name === 'where').length, 1)
})

test('without a host a command runs on the first that has it', async (t) => {
  const { server } = await world(t, { modules: [where], hosts: ['verona.example'] })
  const [first, second] = server.settings.hosts
  await server.reload({
    ...server.settings,
    hosts: [{ ...first!, modules: { where: false } }, second!],
  })
  t.same(
    server.commands(DOMAIN).filter(({ name }) => name === 'where'),
    [],
  )
  t.equal((await server.run(undefined, 'where', {})).note, 'verona.example nobody')
})
