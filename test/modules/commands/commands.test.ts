// Ad-hoc commands (XEP-0050): finding them, their sessions, forms and results.

import { test, type Test } from 'tap'
import type { Command } from '../../../lib/core/commands.js'
import { defineModule } from '../../../lib/core/module.js'
import { world } from '../../world/world.js'
import {
  ADMIN,
  command,
  conditions,
  NS_COMMANDS,
  runs,
  status,
  submitted,
  values,
} from './ad-hoc.js'

const ran: Record<string, unknown>[] = []

const every: Command['parameters'] = {
  who: { kind: 'jid', doc: 'Whom it is about', required: true, field: 'accountjid' },
  others: { kind: 'jids', doc: 'Who else', field: 'accountjids' },
  secret: { kind: 'secret', doc: 'What nobody sees', field: 'password' },
  words: { kind: 'lines', doc: 'What is said' },
  often: { kind: 'integer', doc: 'How often', proposed: [1, 2] },
  loud: { kind: 'flag', doc: 'Whether it is loud' },
  tone: { kind: 'choice', doc: 'In which tone', choices: ['sweet', 'bitter'] },
}

const speaking = defineModule({
  name: 'speaking',
  summary: 'Commands for the tests of commands',
  setup: () => ({
    commands: [
      {
        name: 'speech give',
        summary: 'Gives a speech',
        allow: 'admin',
        node: `${ADMIN}#speech`,
        parameters: every,
        current: () => ({ words: ['But soft', 'what light'] }),
        run(args, { by }) {
          ran.push({ ...args, by: by?.text })
          return {
            note: 'it was given',
            rows: [{ heard: 3, loud: true, by: null, by2: ['a', 'b'] }],
          }
        },
      },
      {
        name: 'speech list',
        summary: 'Lists the speeches',
        allow: 'admin',
        parameters: {},
        run: () => ({
          rows: [
            { id: 1, line: 'first' },
            { id: 2, line: 'second' },
          ],
        }),
      },
      {
        name: 'speech mine',
        summary: 'Shows my speeches',
        allow: 'account',
        form: 'urn:speech:mine',
        parameters: {},
        run: (_, { by }) => ({ rows: [{ by: by?.text ?? '' }] }),
      },
    ],
  }),
})

async function stage(t: Test) {
  ran.length = 0
  return world(t, { modules: ['disco', 'commands', speaking], people: ['romeo', 'nurse'] })
}

const items = `<query xmlns='http://jabber.org/protocol/disco#items' node='${NS_COMMANDS}'/>`
const info = (node: string) =>
  `<query xmlns='http://jabber.org/protocol/disco#info' node='${node}'/>`

test('each is shown the commands that are for them (XEP-0050 §2.1)', async (t) => {
  const { romeo, nurse } = await stage(t)
  const nodes = async (who: typeof romeo, to: string) =>
    (await who.asks('get', to, items))
      .getChild('query')!
      .getChildren('item')
      .map(({ attrs }) => attrs.node)
      .filter((node) => node.includes('speech'))
  t.same(await nodes(romeo, 'capulet.example'), ['speech-mine'])
  t.same(await nodes(romeo, 'romeo@capulet.example'), ['speech-mine'])
  const all = [`${ADMIN}#speech`, 'speech-list', 'speech-mine']
  t.same(await nodes(nurse, 'capulet.example'), all)
  t.same(await nodes(nurse, 'nurse@capulet.example'), all, 'on her own address too')
})

test('a node tells what it is, to whom it is for (XEP-0050 §2.2)', async (t) => {
  const { romeo, nurse } = await stage(t)
  const list = await romeo.asks('get', 'capulet.example', info(NS_COMMANDS))
  t.match(String(list), /command-list/)
  const node = await nurse.asks('get', 'capulet.example', info('speech-list'))
  t.match(String(node), /category="automation" type="command-node" name="Lists the speeches"/)
  t.match(String(node), /<feature var="http:\/\/jabber.org\/protocol\/commands"\/>/)
  const hidden = await romeo.asks('get', 'capulet.example', info('speech-list'))
  t.same(conditions(hidden), ['item-not-found'])
})

test('a command without parameters runs at once (XEP-0050 §2.3)', async (t) => {
  const { nurse } = await stage(t)
  const answer = await command(nurse, 'speech-list', { action: 'execute' })
  t.equal(status(answer), 'completed')
  const form = answer.getChild('command')!.getChild('x')!
  t.same(
    form
      .getChild('reported')!
      .getChildren('field')
      .map(({ attrs }) => attrs.var),
    ['id', 'line'],
  )
  t.equal(form.getChildren('item').length, 2)
})

test('a form is handed out, sent back and read (XEP-0050 §2.4, XEP-0133 §2)', async (t) => {
  const { nurse } = await stage(t)
  const first = await command(nurse, `${ADMIN}#speech`)
  t.equal(status(first), 'executing')
  const begun = first.getChild('command')!
  t.equal(begun.getChild('actions')?.attrs.execute, 'complete')
  const fields = begun.getChild('x')!.getChildren('field')
  const type = (name: string) => fields.find(({ attrs }) => attrs.var === name)?.attrs.type
  t.same(values(first, 'FORM_TYPE'), [ADMIN])
  t.same(
    [
      'accountjid',
      'accountjids',
      'password',
      'password-verify',
      'words',
      'often',
      'loud',
      'tone',
    ].map(type),
    [
      'jid-single',
      'jid-multi',
      'text-private',
      'text-private',
      'text-multi',
      'list-single',
      'boolean',
      'list-single',
    ],
  )
  t.same(values(first, 'words'), ['But soft', 'what light'], 'as things are now')
  const options = fields.find(({ attrs }) => attrs.var === 'often')!.getChildren('option')
  t.same(
    options.map((option) => option.getChildText('value')),
    ['1', '2', 'none'],
  )
  const form = submitted({
    accountjid: 'Romeo@capulet.example',
    accountjids: ['juliet@capulet.example', '', 'tybalt@capulet.example'],
    password: 'x',
    'password-verify': 'x',
    words: ['a', '', 'b'],
    often: '7',
    loud: '1',
    tone: 'bitter',
    ['__proto__']: 'x',
    constructor: 'x',
  })
  const { sessionid } = begun.attrs
  const done = await command(nurse, `${ADMIN}#speech`, { sessionid, form })
  t.equal(status(done), 'completed')
  t.equal(done.getChild('command')?.getChildText('note'), 'it was given')
  t.same(values(done, 'heard'), ['3'])
  t.same(values(done, 'by2'), ['a', 'b'])
  const { who, others, ...rest } = ran[0]!
  t.equal(String(who), 'romeo@capulet.example')
  t.same((others as unknown[]).map(String), ['juliet@capulet.example', 'tybalt@capulet.example'])
  t.match(rest, { secret: 'x', words: ['a', '', 'b'], often: 7, loud: true, tone: 'bitter' })
  t.equal(rest.by, 'nurse@capulet.example')
  t.notOk(Object.hasOwn(rest, 'constructor'), 'a field of no parameter is nothing (SEC-30)')
})

test("'none' is no limit, and what is left empty is left out", async (t) => {
  const { nurse } = await stage(t)
  const fields = { accountjid: 'romeo@capulet.example', often: 'none', words: '', tone: '' }
  await runs(nurse, `${ADMIN}#speech`, fields)
  t.same(Object.keys(ran[0]!).sort(), ['by', 'who'])
})

test('what is wrong in a form is named, all of it (XEP-0050 §4.4)', async (t) => {
  const { nurse } = await stage(t)
  const answer = await runs(nurse, `${ADMIN}#speech`, { often: 'many', tone: 'flat' })
  t.same(conditions(answer), ['bad-request'])
  const text = answer.getChild('error')?.getChildText('text')
  t.match(text, /who is needed/)
  t.match(text, /often: a whole number/)
  t.match(text, /tone: one of sweet, bitter/)
  const typed = { accountjid: 'romeo@capulet.example', password: 'x', 'password-verify': 'y' }
  t.same(conditions(await runs(nurse, `${ADMIN}#speech`, typed)), ['not-acceptable'])
  t.equal(ran.length, 0)
})

test('a result may have a FORM_TYPE of its own (XEP-0068)', async (t) => {
  const { romeo } = await stage(t)
  const answer = await command(romeo, 'speech-mine')
  t.same(values(answer, 'FORM_TYPE'), ['urn:speech:mine'])
  t.same(values(answer, 'by'), ['romeo@capulet.example'])
})

test('who may not run it is forbidden to; what is not there is not found (XEP-0133 §5)', async (t) => {
  const { romeo } = await stage(t)
  t.same(conditions(await command(romeo, 'speech-list')), ['forbidden'])
  t.same(conditions(await command(romeo, 'no-speech')), ['item-not-found'])
  const elsewhere = { to: 'nurse@capulet.example' }
  t.same(conditions(await command(romeo, 'speech-mine', elsewhere)), ['service-unavailable'])
})

test('a session is cancelled (XEP-0050 §4.3)', async (t) => {
  const { nurse } = await stage(t)
  const node = `${ADMIN}#speech`
  const { sessionid } = (await command(nurse, node)).getChild('command')!.attrs
  t.equal(status(await command(nurse, node, { sessionid, action: 'cancel' })), 'canceled')
  const again = await command(nurse, node, { sessionid, form: submitted({}) })
  t.same(conditions(again), ['bad-request', 'bad-sessionid'])
  const second = (await command(nurse, node)).getChild('command')!.attrs.sessionid
  const form = submitted({}, 'cancel')
  t.equal(status(await command(nurse, node, { sessionid: second, form })), 'canceled')
  t.equal(ran.length, 0)
})

test("nobody goes on with another one's session, or with one that is done (XEP-0050 §4.4)", async (t) => {
  const verona = await stage(t)
  const { nurse } = verona
  const other = await verona.device('nurse', 'kitchen')
  const node = `${ADMIN}#speech`
  const { sessionid } = (await command(nurse, node)).getChild('command')!.attrs
  const form = submitted({ accountjid: 'romeo@capulet.example' })
  const bad = ['bad-request', 'bad-sessionid']
  t.same(conditions(await command(other, node, { sessionid, form })), bad)
  t.same(
    conditions(await command(nurse, 'speech-list', { sessionid, form })),
    bad,
    'another command',
  )
  t.same(conditions(await command(nurse, node, { sessionid: 'guessed', form })), bad)
  t.equal(status(await command(nurse, node, { sessionid, form })), 'completed')
  t.same(conditions(await command(nurse, node, { sessionid, form })), bad, 'it is done')
})

test('actions that make no sense are refused (XEP-0050 §4.4)', async (t) => {
  const { nurse } = await stage(t)
  const node = `${ADMIN}#speech`
  const bad = ['bad-request', 'bad-action']
  t.same(conditions(await command(nurse, node, { action: 'complete' })), bad)
  t.same(conditions(await command(nurse, node, { action: 'prev' })), bad)
  const { sessionid } = (await command(nurse, node)).getChild('command')!.attrs
  t.same(conditions(await command(nurse, node, { sessionid, action: 'prev' })), bad)
})

test('forms that nobody sends back do not fill the memory (LIM-command-sessions)', async (t) => {
  const { nurse } = await stage(t)
  const node = `${ADMIN}#speech`
  const { sessionid } = (await command(nurse, node)).getChild('command')!.attrs
  for (let i = 0; i < 1000; i++) {
    const child = `<command xmlns='${NS_COMMANDS}' node='${node}'/>`
    nurse.sends(`<iq type='set' id='${i}' to='capulet.example'>${child}</iq>`)
  }
  await nurse.clears()
  const form = submitted({ accountjid: 'romeo@capulet.example' })
  const answer = await command(nurse, node, { sessionid, form })
  t.same(conditions(answer), ['bad-request', 'bad-sessionid'], 'the oldest is forgotten')
})
