// Searching the archive (XEP-0431), on both stores.

import { test } from 'tap'
import { KEPT, LoggedMessage, OUTGOING } from '../../../lib/storage/logged-message.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { SearchApi } from '../../../modules/search/search.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, type World, type WorldOptions, world } from '../../world/world.js'
import { type Answer, asks, chat, type QueryOptions, says } from '../archive/archive-world.js'
import type { Test } from 'tap'

const FIELD = '{urn:xmpp:fulltext:0}fulltext'

type Open = (t: Test, options?: WorldOptions) => Promise<World>

const people = ['romeo', 'juliet', 'nurse']

const stores: [string, Open][] = [
  ['SQLite', (t, options) => world(t, { modules: ['search'], people, ...options })],
  [
    'PostgreSQL',
    async (t, options) =>
      world(t, { modules: ['search'], people, database: await freshPostgres(), ...options }),
  ],
]

/** At once, when nothing is in the index; and when everything is. */
const stages: [string, (world: World) => Promise<void>][] = [
  ['at once', async () => {}],
  ['out of the index', indexed],
]

async function indexed({ clock, settle, servers }: World): Promise<void> {
  const { database } = servers[0]!
  // A run ends early while the process has much else to do.
  for (let run = 0; run < 100; run++) {
    clock.advance(1000)
    await settle()
    const { reached } = await database.knex('search_progress').first()
    const [{ newest }] = await database.knex.raw('select max(id) as newest from messages')
    if (reached >= (newest ?? 0)) return
  }
  throw new Error('the index was not filled')
}

function finds(client: Client, text: string, options: QueryOptions = {}): Promise<Answer> {
  return asks(client, { ...options, fields: { [FIELD]: text, ...options.fields } })
}

function bare({ account }: Client): Jid {
  return Jid.parse(account)
}

function api({ server }: World): SearchApi {
  return server.hosts.get(DOMAIN)!.modules.get('search')!.offers.provides as SearchApi
}

async function documents({ servers }: World): Promise<number> {
  const { database } = servers[0]!
  const table = database.kind === 'sqlite' ? 'message_words_docsize' : 'message_words'
  const [{ count }] = await database.knex.raw(`select count(*) as count from ${table}`)
  return count
}

for (const [store, open] of stores) {
  for (const [stage, prepare] of stages) findingTests(`${store}, ${stage}`, open, prepare)
  indexTests(store, open)
}

type Prepare = (world: World) => Promise<void>

function findingTests(name: string, open: Open, prepare: Prepare): void {
  test(`${name}: words, phrases and beginnings are found by both sides (XEP-0431 §2.2)`, async (t) => {
    const here = await open(t)
    const { romeo, juliet } = here
    await says(romeo, juliet.jid, 'But soft, what light', 'It is the East')
    await says(juliet, romeo.jid, 'O Roméo, wherefore art thou', 'light of my life')
    await prepare(here)
    for (const client of [romeo, juliet]) {
      const bodies = async (text: string) => (await finds(client, text)).bodies
      t.same(await bodies('light'), ['But soft, what light', 'light of my life'])
      t.same(await bodies('LIGHT my'), ['light of my life'])
      t.same(await bodies('&quot;what light&quot;'), ['But soft, what light'])
      t.same(await bodies('romeo'), ['O Roméo, wherefore art thou'])
      t.same(await bodies('where*'), ['O Roméo, wherefore art thou'])
      t.same(await bodies('&quot;light what&quot;'), [])
      t.same(await bodies('night'), [])
      t.same(await bodies('. *'), [], 'nothing to look for')
    }
    const all = await asks(romeo, { fields: { [FIELD]: '' } })
    t.equal(all.results.length, 4, 'an empty field says nothing (XEP-0431 §2.2)')
  })

  test(`${name}: nobody finds what is not in their own archive`, async (t) => {
    const here = await open(t)
    const { romeo, juliet, nurse } = here
    await says(romeo, juliet.jid, 'a secret')
    await says(romeo, nurse.jid, 'another secret')
    await prepare(here)
    t.same((await finds(juliet, 'secret')).bodies, ['a secret'])
    t.same((await finds(nurse, 'secret')).bodies, ['another secret'])
    t.same((await finds(romeo, 'secret')).bodies, ['a secret', 'another secret'])
    const withNurse = { fields: { with: nurse.account } }
    t.same((await finds(romeo, 'secret', withNurse)).bodies, ['another secret'])
    const withPhone = { fields: { with: nurse.jid } }
    t.same((await finds(romeo, 'secret', withPhone)).bodies, ['another secret'])
  })

  test(`${name}: pages keep the order of the archive (XEP-0059, XEP-0313 §4.3)`, async (t) => {
    const here = await open(t)
    const { romeo, juliet } = here
    const all = Array.from({ length: 7 }, (_, at) => (at % 2 ? `no ${at}` : `yes ${at}`))
    await says(romeo, juliet.jid, ...all)
    await prepare(here)
    const max = '<max>2</max>'
    const one = await finds(romeo, 'yes', { set: max })
    t.same([one.bodies, one.complete], [['yes 0', 'yes 2'], false])
    const two = await finds(romeo, 'yes', { set: `${max}<after>${one.last}</after>` })
    t.same([two.bodies, two.complete], [['yes 4', 'yes 6'], true])
    const last = await finds(romeo, 'yes', { set: `${max}<before/>` })
    t.same([last.bodies, last.complete], [['yes 4', 'yes 6'], false])
    const back = await finds(romeo, 'yes', { set: `${max}<before>${last.first}</before>` })
    t.same([back.bodies, back.complete], [['yes 0', 'yes 2'], true])
    const ids = { ids: [one.first!, two.last!] }
    t.same((await finds(romeo, '6', { fields: ids })).bodies, ['yes 6'])
  })

  test(`${name}: what is encrypted, retracted or not kept is not found`, async (t) => {
    const here = await open(t)
    const { romeo, juliet } = here
    const cipher = "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload/></encrypted>"
    romeo.sends(chat(juliet.jid, 'poison in cipher', cipher))
    romeo.sends(chat(juliet.jid, 'poison unkept', "<no-store xmlns='urn:xmpp:hints'/>"))
    romeo.sends(
      `<message to='${juliet.jid}' type='chat' id='taken-back'><body>poison bought</body></message>`,
    )
    await romeo.settle()
    await prepare(here)
    t.same((await finds(juliet, 'poison')).bodies, ['poison bought'])
    romeo.sends(
      `<message to='${juliet.jid}' type='chat' id='r'><retract xmlns='urn:xmpp:message-retract:1' id='taken-back'/><store xmlns='urn:xmpp:hints'/></message>`,
    )
    await romeo.settle()
    t.same((await finds(juliet, 'poison')).bodies, [])
    t.same((await finds(romeo, 'poison')).bodies, [])
    await indexed(here)
    t.equal(await documents(here), 0)
  })

  test(`${name}: ranked for others, what is more about it first`, async (t) => {
    const here = await open(t)
    const { romeo, juliet, nurse } = here
    await says(romeo, juliet.jid, 'a rose is a rose is a rose', 'rose')
    const long = 'would by any other name smell as sweet so romeo would were he not called so'
    await says(romeo, nurse.jid, `a rose ${long}`)
    await prepare(here)
    const owner = await here.server.hosts.get(DOMAIN)!.numberOf(bare(romeo))
    const found = await api(here).search(owner, 'rose', { limit: 2 })
    t.equal(found.length, 2)
    t.match(found[0]!.message.text, /a rose is a rose is a rose/)
    t.ok(found[0]!.score >= found[1]!.score)
    const peer = bare(nurse)
    const [only, ...none] = await api(here).search(owner, 'rose', { limit: 9, peer })
    t.match(only!.message.text, /any other name/)
    t.same(none, [])
    t.same(await api(here).search(owner, '', { limit: 9 }), [])
  })

  test(`${name}: no question breaks out of its quotes (SEC-63)`, async (t) => {
    const here = await open(t)
    const { romeo, juliet, nurse } = here
    await says(romeo, juliet.jid, 'light and near')
    await says(nurse, juliet.jid, 'another light')
    await prepare(here)
    for (const text of hostile) {
      const { error, bodies } = await finds(romeo, text)
      t.notOk(error, text)
      t.notOk(bodies.includes('another light'), text)
    }
    const huge = await finds(romeo, 'light '.repeat(30_000))
    t.equal(huge.error, 'bad-request')
    t.same((await finds(romeo, 'light')).bodies, ['light and near'])
  })
}

const hostile = [
  '&quot;',
  '&quot;&quot; OR words : light',
  'light&quot; OR &quot;light',
  'light&apos; | &apos;light',
  'light&apos;&apos;) | (&apos;light',
  'NEAR(light near, 5)',
  'light NOT near',
  '^light',
  'words : light',
  '{words} : light',
  '-words : light',
  'light + near',
  'light\\',
  '\\&apos; or 1=1; drop table messages; --',
  'light; select * from messages union select * from messages',
  '§1 light',
  '(((((((((( light',
  'light:* &amp; !near &lt;-&gt; light',
  '%_%',
  '&#x9;light&#xA;&#xD;',
  '\ufffd\u200b\u202elight',
  '$1 ? :name',
]

function indexTests(name: string, open: Open): void {
  // A database in memory does not survive a crash.
  const file: WorldOptions = name === 'SQLite' ? { database: 'sqlite' } : {}

  test(`${name}: the feature is told of accounts (XEP-0431 §2.1)`, async (t) => {
    const { romeo } = await open(t, { modules: ['search', 'disco'] })
    const query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    const iq = await romeo.asks('get', romeo.account, query)
    const features = iq.getChild('query')!.getChildren('feature')
    t.ok(features.some(({ attrs }) => attrs.var === 'urn:xmpp:fulltext:0'))
    const form = await romeo.asks('get', undefined, "<query xmlns='urn:xmpp:mam:2'/>")
    const field = form.getChild('query')!.getChild('x')!.getChildrenByAttr('var', FIELD)[0]
    t.equal(field!.attrs.type, 'text-single')
  })

  test(`${name}: what the index has and what it has not come in one order`, async (t) => {
    const here = await open(t)
    const { romeo, juliet } = here
    await says(romeo, juliet.jid, 'rose 1', 'rose 2')
    await indexed(here)
    await says(romeo, juliet.jid, 'rose 3', 'thorn', 'rose 4')
    t.same((await finds(romeo, 'rose')).bodies, ['rose 1', 'rose 2', 'rose 3', 'rose 4'])
    const back = await finds(romeo, 'rose', { set: '<max>3</max><before/>' })
    t.same(back.bodies, ['rose 2', 'rose 3', 'rose 4'])
    const on = await finds(romeo, 'rose', { set: `<before>${back.first}</before>` })
    t.same([on.bodies, on.complete], [['rose 1'], true])
  })

  test(`${name}: filling begins again where it was, also after a crash`, async (t) => {
    const here = await open(t, file)
    const { romeo, juliet } = here
    const many = Array.from({ length: 120 }, (_, at) => `rose ${at}`)
    await says(romeo, juliet.jid, ...many)
    await indexed(here)
    t.equal(await documents(here), 120)
    await says(romeo, juliet.jid, 'rose last')
    await here.restart({ kill: true })
    await indexed(here)
    t.equal(await documents(here), 121)
    const again = await here.device('romeo')
    t.equal((await finds(again, 'rose', { set: '<max>200</max>' })).results.length, 121)
    t.same((await finds(again, 'last')).bodies, ['rose last'])
  })

  test(`${name}: what expired or was forgotten leaves the index`, async (t) => {
    const here = await open(t, { options: { archive: { keep: '1 day' } } })
    const { romeo, juliet, server, clock, settle } = here
    await says(romeo, juliet.jid, 'rose')
    await says(romeo, romeo.account, 'a note')
    await indexed(here)
    t.equal(await documents(here), 2)
    const owner = await server.hosts.get(DOMAIN)!.numberOf(bare(romeo))
    await server.database.transaction((trx) => server.messages.forget(owner, trx))
    t.equal(await documents(here), 1, 'the note was nobody elses')
    t.same((await finds(romeo, 'rose')).bodies, [])
    t.same((await finds(juliet, 'rose')).bodies, ['rose'])
    clock.advance(2 * 86_400_000)
    await settle()
    await server.messages.expire(clock.now())
    t.same((await finds(juliet, 'rose')).bodies, [])
    for (let run = 0; run < 61; run++) {
      clock.advance(1000)
      await settle()
    }
    t.equal(await documents(here), 0)
  })

  test(`${name}: a search never looks through more than its bound (LIM-search-tail)`, async (t) => {
    const here = await open(t)
    const { romeo, juliet, server } = here
    const owner = await server.hosts.get(DOMAIN)!.numberOf(bare(romeo))
    const said = (word: string) => {
      const entry = server.journal.entry()
      const text = `<message type='chat'><body>${word}</body></message>`
      const ends = { from: Jid.parse(romeo.jid), to: bare(juliet) }
      entry.message = new LoggedMessage({ ...ends, text, label: 0, key: '', author: owner })
      entry.message.sender = { owner, flags: KEPT | OUTGOING }
      return server.journal.commit(entry)
    }
    const words = Array.from({ length: 2500 }, (_, at) => (at === 10 ? 'oldest' : 'rose'))
    await Promise.all([...words, 'newest'].map(said))
    const back = { set: '<max>5</max><before/>' }
    t.same((await finds(romeo, 'newest', back)).bodies, ['newest'])
    t.same((await finds(romeo, 'oldest', back)).bodies, [])
    await indexed(here)
    t.same((await finds(romeo, 'oldest', back)).bodies, ['oldest'])
  })
}
