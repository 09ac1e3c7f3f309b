// How far conversations were displayed: XEP-0333, XEP-0490.

import { type Test, test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import readStateModule, {
  type Displayed,
  type ReadState,
} from '../../../modules/read-state/read-state.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World } from '../../world/world.js'

const ROMEO = Jid.parse(`romeo@${DOMAIN}`)
const JULIET = Jid.parse(`juliet@${DOMAIN}`)

interface Scene extends World {
  api: ReadState
  changes: Displayed[]
  assists: string[]
  /** Up to which of Romeo's messages Juliet has displayed, by its words */
  displayed(): Promise<string>
}

async function scene(t: Test, nodes: 1 | 2 = 1): Promise<Scene> {
  const changes: Displayed[] = []
  const assists: string[] = []
  let api: ReadState | undefined
  const listener = defineModule({
    name: 'listener',
    summary: 'Hears what was displayed',
    requires: [readStateModule],
    setup: (host) => {
      api = host.use(readStateModule)
      return {
        on: {
          'read-state:displayed': (event) => void changes.push(event),
          'read-state:assist': ({ item, mark }) => void assists.push(`${item} ${mark.by}`),
        },
      }
    },
  })
  const database = nodes === 2 ? await freshPostgres() : 'sqlite:memory'
  const w = await world(t, {
    modules: ['presence', 'read-state', listener],
    nodes,
    database,
    people: ['romeo', 'juliet', 'nurse'],
  })
  await w.juliet.comesOnline()
  await w.juliet.clears()
  const displayed = async (): Promise<string> => {
    const owner = numberOf(w.juliet)
    const id = await api!.displayed(owner, ROMEO)
    const { messages } = await w.server.messages.page({ owner, ids: [id], limit: 1 })
    return /<body>(.*)<\/body>/.exec(messages[0]?.text ?? '')?.[1] ?? 'nothing'
  }
  return Object.assign(w, { api: api!, changes, assists, displayed })
}

function numberOf(client: Client): number {
  const jid = Jid.parse(client.jid)
  return client.server.hosts.get(jid.domain)!.sessions.find(jid)!.number
}

/** Romeo says it; the ids that Juliet's archive gives. */
async function says(w: World, ...words: string[]): Promise<string[]> {
  const ids: string[] = []
  for (const word of words) {
    w.romeo.sends(
      `<message to='${JULIET.text}' type='chat' id='${word}'><body>${word}</body></message>`,
    )
    const message = await w.juliet.receives(`<message id='${word}'/>`)
    ids.push(message.getChild('stanza-id', 'urn:xmpp:sid:0')!.attrs.id!)
  }
  return ids
}

const marker = (id: string, name = 'displayed'): string =>
  `<${name} xmlns='urn:xmpp:chat-markers:0' id='${id}'/>`

const mark = (id: string, by = JULIET.text): string =>
  `<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='${by}' id='${id}'/></displayed>`

async function tells(w: World, content: string, to = ROMEO.text): Promise<void> {
  w.juliet.sends(`<message to='${to}' type='chat'>${content}</message>`)
  await w.settle()
}

for (const nodes of [1, 2] as const) {
  test(`a marker says how far a conversation was displayed (XEP-0333 §4, ${nodes} nodes)`, async (t) => {
    const w = await scene(t, nodes)
    await says(w, 'one', 'two', 'three')
    t.equal(await w.displayed(), 'nothing')
    await tells(w, marker('two'))
    t.equal(await w.displayed(), 'two')
    t.equal(w.changes.length, 1)
    t.equal(w.changes[0]?.peer.text, ROMEO.text)
    t.equal(w.changes[0]?.account.text, JULIET.text)
  })
}

test('it only moves forward (XEP-0333 §5, XEP-0490 §5)', async (t) => {
  const w = await scene(t)
  const [first] = await says(w, 'one', 'two')
  await tells(w, marker('two'))
  await tells(w, marker('one'))
  await tells(w, mark(first!))
  t.equal(await w.displayed(), 'two')
  t.equal(w.changes.length, 1, 'and nobody hears of what changes nothing')
})

test('two markers that arrive together: the one further on counts (XEP-0333 §5)', async (t) => {
  const w = await scene(t)
  await says(w, 'one', 'two')
  const message = (id: string): string => `<message to='${ROMEO.text}'>${marker(id)}</message>`
  w.juliet.sends(message('two') + message('one'))
  await w.settle()
  t.equal(await w.displayed(), 'two')
})

test('what is not found in the conversation is ignored (XEP-0333 §5, XEP-0490 §5)', async (t) => {
  const w = await scene(t)
  const [one] = await says(w, 'one')
  await tells(w, marker('unknown'))
  await tells(w, marker('one'), `nurse@${DOMAIN}`)
  await tells(w, mark('aaaaaaaaaaaaa'))
  await tells(w, mark(one!, ROMEO.text))
  await tells(w, mark(one!), `nurse@${DOMAIN}`)
  await tells(w, `<received xmlns='urn:xmpp:receipts' id='one'/>`)
  t.equal(await w.displayed(), 'nothing', 'XEP-0430 §5: a receipt is no sign of it')
  t.equal(w.changes.length, 0)
})

test('the earlier marker "acknowledged" counts too (XEP-0430 §5)', async (t) => {
  const w = await scene(t)
  await says(w, 'one')
  await tells(w, marker('one', 'acknowledged'))
  t.equal(await w.displayed(), 'one')
})

test('what is for the own server is taken out, and the rest goes on (XEP-0490 §6)', async (t) => {
  const w = await scene(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const [, two] = await says(w, 'one', 'two', 'three')
  await tells(w, marker('two') + mark(two!))
  const got = await w.romeo.receives(
    '<message><displayed xmlns="urn:xmpp:chat-markers:0"/></message>',
  )
  t.notMatch(got.toString(), /mds/)
  t.equal(await w.displayed(), 'two')
  t.same(w.assists, [`${ROMEO.text} ${JULIET.text}`])
  const rows: string[] = await w.server.database.reader('messages').pluck('text')
  t.notOk(
    rows.some((text) => text.includes('mds')),
    'the archive does not have it either',
  )
})

test('beside words of its own, too; and with no archive id it is taken out all the same', async (t) => {
  const w = await scene(t)
  await w.romeo.comesOnline()
  await w.romeo.clears()
  const [one] = await says(w, 'one')
  await tells(w, `<body>yes</body>${mark(one!)}`)
  t.notMatch((await w.romeo.receives('<message><body>yes</body></message>')).toString(), /mds/)
  t.equal(await w.displayed(), 'one')
  await tells(w, `<body>no</body><displayed xmlns='urn:xmpp:mds:displayed:0'/>`)
  t.notMatch((await w.romeo.receives('<message><body>no</body></message>')).toString(), /mds/)
})

test('what the account writes is neutral (XEP-0490 §5)', async (t) => {
  const w = await scene(t)
  await says(w, 'one')
  await tells(w, '<body>two</body>')
  t.equal(await w.displayed(), 'nothing')
})

test('it goes with the account', async (t) => {
  const w = await scene(t)
  await says(w, 'one')
  await tells(w, marker('one'))
  t.equal((await w.server.database.reader('displayed')).length, 1)
  await w.server.run(DOMAIN, 'user remove', { jids: JULIET.text })
  await w.settle()
  t.equal((await w.server.database.reader('displayed')).length, 0)
})
