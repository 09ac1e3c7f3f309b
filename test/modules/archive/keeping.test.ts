// What an archive keeps: the kinds of messages, and what accounts prefer (XEP-0441).

import { test } from 'tap'
import { Database } from '../../../lib/storage/database.js'
import { Journal } from '../../../lib/storage/journal.js'
import { migrate } from '../../../lib/storage/migrations.js'
import { UNREAD } from '../../../lib/storage/logged-message.js'
import { PreferenceStore } from '../../../modules/archive/preferences.js'
import { migrations } from '../../../modules/archive/tables.js'
import type { Client } from '../../world/client.js'
import { DOMAIN, world } from '../../world/world.js'
import { asks, JULIET, NS_ARCHIVE, ROMEO, says, stores } from './archive-world.js'

const NURSE = `nurse@${DOMAIN}`

function list(name: string, jids: readonly string[]): string {
  return `<${name}>${jids.map((jid) => `<jid>${jid}</jid>`).join('')}</${name}>`
}

async function prefers(
  client: Client,
  standard: string,
  { always = [], never = [] }: { always?: readonly string[]; never?: readonly string[] } = {},
) {
  const lists = list('always', always) + list('never', never)
  const prefs = `<prefs xmlns='${NS_ARCHIVE}' default='${standard}'>${lists}</prefs>`
  return told(await client.asks('set', undefined, prefs))
}

function told(answer: Awaited<ReturnType<Client['asks']>>) {
  const prefs = answer.getChild('prefs', NS_ARCHIVE)
  if (!prefs) return answer.getChild('error')!.getChildElements()[0]!.getName()
  const jids = (name: string) =>
    prefs
      .getChild(name)!
      .getChildren('jid')
      .map((jid) => jid.getText())
  return [prefs.attrs.default, jids('always'), jids('never')]
}

async function preferences(client: Client) {
  return told(await client.asks('get', undefined, `<prefs xmlns='${NS_ARCHIVE}'/>`))
}

for (const store of stores) {
  test(`${store.name}: preferences are told, set and obeyed on each side (XEP-0441 §2)`, async (t) => {
    const w = await store.world(t, { people: ['romeo', 'juliet', 'nurse'] })
    const laptop = await w.device('juliet', 'laptop')
    t.same(await preferences(w.romeo), ['always', [], []])
    const kept = async () => {
      await says(w.romeo, w.juliet.jid, 'to juliet')
      await says(w.romeo, laptop.jid, 'to her laptop')
      await says(w.nurse, w.romeo.jid, 'from the nurse')
      await says(w.romeo, ROMEO, 'to myself')
      const { bodies, last } = await asks(w.romeo, { set: `<after>${before}</after>` })
      before = last ?? before
      return bodies
    }
    await says(w.romeo, w.juliet.jid, 'first')
    let before = (await asks(w.romeo)).last!
    const all = ['to juliet', 'to her laptop', 'from the nurse', 'to myself']
    t.same(await kept(), all)
    t.same(await prefers(w.romeo, 'never'), ['never', [], []])
    t.same(await kept(), [])
    t.same(await prefers(w.romeo, 'never', { always: ['JULIET@capulet.example', JULIET] }), [
      'never',
      [JULIET],
      [],
    ])
    t.same(await kept(), ['to juliet', 'to her laptop'])
    t.same(await prefers(w.romeo, 'always', { never: [laptop.jid, NURSE], always: [NURSE] }), [
      'always',
      [],
      [laptop.jid, NURSE],
    ])
    t.same(await kept(), ['to juliet', 'to myself'], 'a full address is that resource alone (§2.3)')
    t.same(await preferences(w.romeo), ['always', [], [laptop.jid, NURSE]])
    t.equal((await asks(w.juliet)).bodies.length, 9, 'hers are her own affair')
    const item = `<query xmlns='jabber:iq:roster'><item jid='${NURSE}'/></query>`
    await w.romeo.asks('set', undefined, item)
    t.same(await prefers(w.romeo, 'roster'), ['roster', [], []])
    t.same(await kept(), ['from the nurse', 'to myself'], 'contacts by their bare address')
  })
}

test('preferences outlive the server, and other nodes notice them', async (t) => {
  const w = await stores[1]!.world(t, { nodes: 2 })
  const elsewhere = await w.device('romeo', 'elsewhere', { node: 1 })
  t.same(await prefers(w.romeo, 'never'), ['never', [], []])
  w.clock.advance(5000)
  await w.settle()
  t.same(await preferences(elsewhere), ['never', [], []])
  await says(elsewhere, w.juliet.jid, 'one')
  t.same((await asks(elsewhere)).bodies, [])
  t.same((await asks(w.juliet)).bodies, ['one'])
  const again = new PreferenceStore(w.server.database, 'always')
  await again.load()
  const number = await w.server.hosts.get(DOMAIN)!.numberOf((await sessionOf(w)).account)
  t.equal((await again.of(number)).standard, 'never')
  await w.server.run(DOMAIN, 'user remove', { jids: [ROMEO] })
  await w.settle()
  t.equal((await w.server.database.knex('archive_preferences')).length, 0)
})

async function sessionOf(w: Awaited<ReturnType<typeof world>>) {
  return [...w.server.hosts.get(DOMAIN)!.sessions.all()].find(({ jid }) => jid.local === 'romeo')!
}

test('what is no preference is refused, and nothing changes (XEP-0441 §2.1, LIM-archive-preferences)', async (t) => {
  const { romeo } = await stores[0]!.world(t)
  t.equal(await prefers(romeo, 'sometimes'), 'bad-request')
  t.equal(await prefers(romeo, 'always', { never: ['a@b@c'] }), 'jid-malformed')
  const many = Array.from({ length: 1001 }, (_, i) => `friend${i}@${DOMAIN}`)
  t.equal(await prefers(romeo, 'always', { never: many }), 'policy-violation')
  t.same(await preferences(romeo), ['always', [], []])
})

test('an operator chooses what is kept of who has not chosen', async (t) => {
  const options = { archive: { default: 'never' } }
  const { romeo, juliet } = await world(t, { modules: ['archive'], options })
  await says(romeo, juliet.jid, 'one')
  t.same(await prefers(juliet, 'always'), ['always', [], []])
  await says(romeo, juliet.jid, 'two')
  t.same((await asks(romeo)).bodies, [])
  t.same((await asks(juliet)).bodies, ['two'])
})

test('what is kept is what people mean to keep (XEP-0313 §6.1.1, XEP-0334 §4)', async (t) => {
  const { romeo, juliet } = await stores[0]!.world(t)
  const kinds: [string, boolean][] = [
    ["<message type='chat' id='1'><body>1</body></message>", true],
    ["<message id='2'><body>2</body></message>", true],
    ["<message type='headline' id='3'><body>3</body></message>", false],
    [
      "<message type='chat' id='4'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
      false,
    ],
    [
      "<message type='chat' id='5'><body>5</body><no-store xmlns='urn:xmpp:hints'/></message>",
      false,
    ],
    [
      "<message type='chat' id='6'><body>6</body><no-permanent-store xmlns='urn:xmpp:hints'/></message>",
      false,
    ],
    [
      "<message type='chat' id='7'><x xmlns='urn:x'/><store xmlns='urn:xmpp:hints'/></message>",
      true,
    ],
    [
      "<message type='chat' id='8'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>",
      true,
    ],
    [
      "<message type='chat' id='9'><reactions xmlns='urn:xmpp:reactions:0' id='1'><reaction>👍</reaction></reactions></message>",
      true,
    ],
    [
      "<message type='chat' id='10'><body>new</body><replace xmlns='urn:xmpp:message-correct:0' id='1'/></message>",
      true,
    ],
    [
      "<message type='chat' id='11'><body>yes</body><reply xmlns='urn:xmpp:reply:0' to='a@b' id='1'/></message>",
      true,
    ],
    [
      "<message type='chat' id='12'><sticker xmlns='urn:xmpp:stickers:0' pack='p'/><body>:)</body></message>",
      true,
    ],
  ]
  for (const [xml] of kinds) romeo.sends(xml.replace('<message', `<message to='${juliet.jid}'`))
  await romeo.settle()
  const expected = kinds.filter(([, kept]) => kept).map(([xml]) => / id='(\d+)'/.exec(xml)![1])
  for (const client of [romeo, juliet]) {
    const { results } = await asks(client)
    t.same(
      results.map(({ message }) => message.attrs.id),
      expected,
    )
  }
  const { results } = await asks(juliet)
  const reactions = results.find(({ message }) => message.attrs.id === '9')!.message
  t.equal(reactions.getChild('reactions')!.getChildText('reaction'), '👍', 'with all that it holds')
  const host = juliet.server.hosts.get(DOMAIN)!
  const session = [...host.sessions.all()].find(({ jid }) => jid.text === juliet.jid)!
  const page = await host.messages.page({ owner: session.number, limit: 50 })
  const unread = page.messages
    .filter(({ flags }) => flags & UNREAD)
    .map(({ text }) => / id='(\d+)'/.exec(text)![1])
  t.same(unread, ['1', '2', '11', '12'], 'what counts as unread')
})

test('a message to oneself is there once, whichever device asks, and is not unread', async (t) => {
  const w = await stores[0]!.world(t)
  const laptop = await w.device('romeo', 'laptop')
  await says(w.romeo, ROMEO, 'bare')
  await says(w.romeo, laptop.jid, 'full')
  t.same((await asks(w.romeo)).bodies, ['bare', 'full'])
  t.same((await asks(laptop, { fields: { with: ROMEO } })).bodies, ['bare', 'full'])
  const rows: { flags: number }[] = (await w.server.messages.page({ owner: 1, limit: 9 }))
    .messages as never
  for (const { flags } of rows) t.equal(flags & UNREAD, 0)
})

test('on a host with very many preferences those in use are in memory, and no more (LIM-archive-preferences-known)', async (t) => {
  const database = await Database.open({ url: 'sqlite:memory', folder: '', durability: 'crash' })
  t.teardown(() => database.close())
  await migrate(database, [{ owner: 'archive', migrations }])
  const journal = new Journal(database)
  const none = new Set<string>()
  const store = new PreferenceStore(database, 'always', 5)
  await store.load()
  t.ok(store.untouched)
  for (let account = 1; account <= 12; account++) {
    const entry = journal.entry()
    const set = { standard: 'never', always: none, never: none } as const
    store.write(entry, account, { ...set, now: 1 })
    await journal.commit(entry)
    store.apply(account, set)
    t.ok(store.size <= 5)
  }
  for (const opened of [store, new PreferenceStore(database, 'always', 5)]) {
    if (opened !== store) await opened.load()
    for (let account = 1; account <= 12; account++)
      t.equal((await opened.of(account)).standard, 'never')
    t.equal((await opened.of(13)).standard, 'always', 'who has set nothing')
    t.ok(opened.of(13) instanceof Promise === false, 'and the second time at once')
    t.ok(opened.size <= 5)
  }
})

test('what is set while it is being read counts (XEP-0441 §2.1)', async (t) => {
  const { server } = await world(t, { modules: ['archive'] })
  const { database } = server
  const none = { always: new Set<string>(), never: new Set<string>() }
  const row = { always: '[]', never: '[]', changed: 1, standard: 'always' }
  await database
    .knex('archive_preferences')
    .insert([1, 2, 3].map((account) => ({ ...row, account })))
  const store = new PreferenceStore(database, 'always', 2)
  await store.load()
  const reading = store.of(1)
  store.apply(1, { ...none, standard: 'never' })
  t.equal((await reading).standard, 'never')
  t.equal((await store.of(1)).standard, 'never')
  const looking = store.refresh(1)
  store.apply(2, { ...none, standard: 'never' })
  await looking
  t.equal((await store.of(2)).standard, 'never')
  await store.refresh(1)
  t.equal((await store.of(2)).standard, 'always', 'what another node wrote last')
})

test('what another node set is read again, and of everybody after a silence (XEP-0441 §2.1)', async (t) => {
  const { server } = await world(t, { modules: ['archive'] })
  const { database } = server
  const table = () => database.knex('archive_preferences')
  const row = { always: '[]', never: '[]', changed: 1, standard: 'never' }
  const store = new PreferenceStore(database, 'always', 4)
  await store.load()
  const standard = async (account: number) => (await store.of(account)).standard
  await table().insert({ ...row, account: 1 })
  t.equal(await standard(1), 'always', 'nobody said anything')
  store.changed(1)
  t.notOk(store.untouched)
  t.equal(await standard(1), 'never')
  t.notOk(store.of(1) instanceof Promise)
  t.notOk(store.of(2) instanceof Promise, 'the others are known')
  await table().insert({ ...row, account: 2 })
  await store.again(100_000)
  t.equal(await standard(2), 'never')
  t.notOk(store.of(3) instanceof Promise)
  await table().insert({ ...row, account: 3, changed: 100_500 })
  await store.again(101_000)
  t.equal(await standard(3), 'never', 'set lately')
  for (let account = 10; account < 20; account++) store.changed(account)
  t.ok(store.size <= 4)
  t.equal(await standard(19), 'always')
})
