// Bookmarks: one list in all the forms that clients know (XEP-0402, XEP-0048, XEP-0049, XEP-0411).

import { test, type Test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { type World, world, type WorldOptions } from '../../world/world.js'
import { condition } from '../rooms/rooms-world.js'

const NS = 'urn:xmpp:bookmarks:1'
const LIST = 'storage:bookmarks'
const PUBSUB = 'http://jabber.org/protocol/pubsub'
const PLAY = 'theplay@rooms.shakespeare.example'
const ORCHARD = 'orchard@rooms.capulet.example'
const STATE = "<state xmlns='urn:example' minimized='true'/>"

function library(t: Test, options: WorldOptions = {}): Promise<World> {
  return world(t, { modules: ['bookmarks', 'presence', 'disco'], ...options })
}

function conference(inside = '', attributes = " name='The Play' autojoin='true'"): string {
  return `<conference xmlns='${NS}'${attributes}>${inside}</conference>`
}

function option(name: string, value: string): string {
  return `<field var='pubsub#${name}'><value>${value}</value></field>`
}

function options(...fields: string[]): string {
  const type = `<field var='FORM_TYPE'><value>${PUBSUB}#publish-options</value></field>`
  return `<publish-options><x xmlns='jabber:x:data' type='submit'>${type}${fields.join('')}</x></publish-options>`
}

/** As XEP-0402 §3.3 has it */
const SAFE = options(
  option('persist_items', 'true'),
  option('max_items', 'max'),
  option('send_last_published_item', 'never'),
  option('access_model', 'whitelist'),
)

function pubsub(client: Client, type: 'get' | 'set', inside: string, to?: string) {
  return client.asks(type, to, `<pubsub xmlns='${PUBSUB}'>${inside}</pubsub>`)
}

function publishes(client: Client, id: string, payload = conference(), more = SAFE) {
  const item = `<item id='${id}'>${payload}</item>`
  return pubsub(client, 'set', `<publish node='${NS}'>${item}</publish>${more}`)
}

function retracts(client: Client, id: string) {
  return pubsub(client, 'set', `<retract node='${NS}' notify='true'><item id='${id}'/></retract>`)
}

async function items(client: Client, node = NS): Promise<Element[]> {
  const answer = await pubsub(client, 'get', `<items node='${node}'/>`)
  return answer.getChild('pubsub', PUBSUB)!.getChild('items')!.getChildren('item')
}

/** The list of an older client, in an item or as private data */
async function list(client: Client, from: 'pep' | 'private'): Promise<Element | undefined> {
  if (from === 'pep') return (await items(client, LIST))[0]?.getChild('storage', LIST)
  const query = `<query xmlns='jabber:iq:private'><storage xmlns='${LIST}'/></query>`
  const answer = await client.asks('get', undefined, query)
  return answer.getChild('query')!.getChild('storage', LIST)
}

function writesList(client: Client, inside: string, to: 'pep' | 'private') {
  const storage = `<storage xmlns='${LIST}'>${inside}</storage>`
  if (to === 'private')
    return client.asks('set', undefined, `<query xmlns='jabber:iq:private'>${storage}</query>`)
  const item = `<item id='current'>${storage}</item>`
  return pubsub(client, 'set', `<publish node='${LIST}'>${item}</publish>${SAFE}`)
}

/** Says in its capabilities that it wants to hear of these nodes; gives what it hears at once. */
async function listens(client: Client, ...nodes: string[]): Promise<string[]> {
  const ver = `${nodes.join()} of ${client.jid}`.slice(0, 100)
  await client.comesOnline(
    `<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:example' ver='${ver}'/>`,
  )
  const asked = await client.finds("<iq type='get'><query/></iq>")
  const features = nodes.map((node) => `<feature var='${node}+notify'/>`).join('')
  client.sends(
    `<iq type='result' id='${asked.attrs.id}' to='${asked.attrs.from}'>` +
      `<query xmlns='http://jabber.org/protocol/disco#info'>${features}</query></iq>`,
  )
  return heard(client)
}

/** What it heard: the node, and what is there or gone */
async function heard(client: Client): Promise<string[]> {
  await client.settle()
  const events = client.inbox.flatMap((one) => one.getChild('event', `${PUBSUB}#event`) ?? [])
  client.inbox = []
  return events.flatMap((event) => {
    const all = event.getChild('items')!
    const node = all.attrs.node === NS ? '' : 'list: '
    const there = all.getChildren('item').map(({ attrs }) => `${node}${attrs.id}`)
    return [...there, ...all.getChildren('retract').map(({ attrs }) => `${node}-${attrs.id}`)]
  })
}

function rooms(storage: Element | undefined): string[] {
  return (storage?.getChildren('conference') ?? []).map(({ attrs }) => String(attrs.jid))
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'

  async function devices(w: World): Promise<{ phone: Client; old: Client; ancient: Client }> {
    const phone = await w.device('romeo', 'new', { node: 0 })
    const old = await w.device('romeo', 'old', { node: nodes - 1 })
    const ancient = await w.device('romeo', 'ancient', { node: 0 })
    await listens(phone, NS)
    await listens(old, LIST)
    await ancient.comesOnline()
    for (const one of [phone, old, ancient]) await one.clears()
    return { phone, old, ancient }
  }

  test(`a bookmark that is published is there in all forms (XEP-0402 §3.3, §5.3.1, XEP-0411 §3, ${where})`, async (t) => {
    const w = await library(t, { nodes })
    const { phone, old, ancient } = await devices(w)
    const inside = `<nick>JC</nick><password>sesame</password><extensions>${STATE}</extensions>`
    const answer = await publishes(phone, PLAY, conference(inside))
    t.equal(answer.attrs.type, 'result')
    const [item] = await items(old)
    t.equal(item?.attrs.id, PLAY)
    const kept = item!.getChild('conference', NS)!
    t.match(kept.attrs, { name: 'The Play', autojoin: 'true' })
    t.equal(kept.getChildText('nick'), 'JC')
    t.equal(kept.getChild('extensions')?.getChild('state', 'urn:example')?.attrs.minimized, 'true')
    for (const from of ['pep', 'private'] as const) {
      const [listed] = (await list(ancient, from))!.getChildren('conference')
      t.match(listed?.attrs, { jid: PLAY, name: 'The Play', autojoin: 'true' })
      t.equal(listed?.getChildText('nick', LIST), 'JC', 'in the older namespace')
      t.equal(listed?.getChildText('password', LIST), 'sesame')
    }
    t.same(await heard(phone), [PLAY])
    t.same(await heard(old), ['list: current'], 'who listens to the list hears of it (XEP-0411 §3)')
    t.same(await heard(ancient), [], 'who did not ask is not told (XEP-0163 §4.2)')

    t.equal((await retracts(phone, PLAY)).attrs.type, 'result')
    t.same(await heard(phone), [`-${PLAY}`])
    t.same(await heard(old), ['list: current'])
    t.same(await items(phone), [])
    t.same(rooms(await list(ancient, 'private')), [])
    t.equal(condition(await retracts(phone, PLAY)), 'item-not-found')
  })

  for (const form of ['pep', 'private'] as const)
    test(`an older client writes its list, and others hear of what is different (XEP-0402 §5.3.2, ${form}, ${where})`, async (t) => {
      const w = await library(t, { nodes })
      const { phone, old, ancient } = await devices(w)
      await publishes(phone, PLAY, conference(`<nick>JC</nick><extensions>${STATE}</extensions>`))
      await publishes(phone, ORCHARD)
      await heard(phone)
      await heard(old)
      const play = `<conference jid='${PLAY}' name='The Play' autojoin='1'><nick>JC</nick></conference>`
      const square = "<conference jid='square@rooms.example'><nick>R</nick></conference>"
      const url = "<url name='Works' url='http://the-tech.example/'/>"
      t.equal((await writesList(ancient, play + square + url, form)).attrs.type, 'result')
      t.same(
        (await heard(phone)).sort(),
        [`-${ORCHARD}`, 'square@rooms.example'],
        'the play is as it was',
      )
      t.same(await heard(old), ['list: current'])
      const all = await items(phone)
      t.same(all.map(({ attrs }) => attrs.id).sort(), ['square@rooms.example', PLAY].sort())
      const kept = all.find(({ attrs }) => attrs.id === PLAY)!.getChild('conference', NS)!
      t.ok(
        kept.getChild('extensions')?.getChild('state', 'urn:example'),
        'what it does not know stays (§3.4)',
      )
      t.equal((await list(ancient, 'private'))?.getChild('url')?.attrs.name, 'Works')
      t.equal((await list(ancient, 'pep'))?.getChild('url')?.attrs.name, 'Works')

      await writesList(ancient, play + square + url, form)
      t.same(await heard(phone), [], 'nothing is different')
      const renamed = play.replace('The Play', 'Hamlet')
      await writesList(ancient, renamed + square + url, form)
      t.same(await heard(phone), [PLAY])
      const [item] = (await items(phone)).filter(({ attrs }) => attrs.id === PLAY)
      const now = item!.getChild('conference', NS)!
      t.equal(now.attrs.name, 'Hamlet')
      t.ok(now.getChild('extensions')?.getChild('state', 'urn:example'))
    })

  test(`a client that must be sure is told when it cannot be (XEP-0402 §3.3, XEP-0060 §7.1.5, ${where})`, async (t) => {
    const { romeo } = await library(t, { nodes })
    const open = options(option('access_model', 'open'))
    const refused = await publishes(romeo, PLAY, conference(), open)
    t.equal(condition(refused), 'conflict')
    t.ok(refused.getChild('error')?.getChild('precondition-not-met', `${PUBSUB}#errors`))
    t.equal(
      condition(await publishes(romeo, PLAY, conference(), options(option('persist_items', '0')))),
      'conflict',
    )
    t.equal(condition(await publishes(romeo, 'no address@@', conference())), 'not-acceptable')
    t.equal(condition(await publishes(romeo, `${PLAY}/nick`, conference())), 'not-acceptable')
    t.equal(condition(await publishes(romeo, PLAY, "<x xmlns='urn:example'/>")), 'bad-request')
    t.equal(condition(await publishes(romeo, PLAY, '')), 'bad-request')
    t.same(await items(romeo), [])
    t.equal((await publishes(romeo, PLAY, conference(), '')).attrs.type, 'result')
  })

  test(`nobody else sees or writes them (XEP-0223, ${where})`, async (t) => {
    const w = await library(t, { nodes, spread: nodes === 2 })
    const { romeo, juliet } = w
    await publishes(romeo, PLAY)
    const theirs = 'romeo@capulet.example'
    const read = await pubsub(juliet, 'get', `<items node='${NS}'/>`, theirs)
    t.equal(read.attrs.type, 'error')
    const item = `<item id='${ORCHARD}'>${conference()}</item>`
    const written = await pubsub(juliet, 'set', `<publish node='${NS}'>${item}</publish>`, theirs)
    t.equal(written.attrs.type, 'error')
    t.same(await items(juliet), [])
    t.equal((await items(romeo)).length, 1)
  })

  test(`they are bounded (LIM-bookmark-text, ${where})`, async (t) => {
    const { romeo } = await library(t, { nodes, options: { bookmarks: { rooms: 3 } } })
    for (const name of ['a', 'b', 'c']) await publishes(romeo, `${name}@rooms.example`)
    t.equal(condition(await publishes(romeo, 'd@rooms.example')), 'resource-constraint')
    t.equal((await publishes(romeo, 'c@rooms.example', conference('', ''))).attrs.type, 'result')
    const long = conference(`<nick>${'x'.repeat(9000)}</nick>`)
    t.equal(condition(await publishes(romeo, 'c@rooms.example', long)), 'not-acceptable')
    const many = ['a', 'b', 'c', 'd'].map((name) => `<conference jid='${name}@rooms.example'/>`)
    t.equal(condition(await writesList(romeo, many.join(''), 'private')), 'resource-constraint')
    t.equal((await items(romeo)).length, 3)
  })
}

test('what was kept as private data before is there, and moves with the first change (XEP-0411 §4)', async (t) => {
  const w = await world(t, { modules: ['private-data'], database: 'sqlite' })
  const old = `<conference jid='${PLAY}' name='The Play' autojoin='1'/><url name='Works' url='http://x.example/'/>`
  await writesList(w.romeo, old, 'private')
  // As it was when there was no such module.
  const kept = await w.server.database.knex('private_data').first()
  t.equal(kept.xmlns, LIST)
  const later = await library(t)
  const romeo = later.romeo
  const account = await later.server.hosts.get('capulet.example')!.accounts!.lookup('romeo')
  await later.server.database.knex('private_data').insert({ ...kept, account: account!.number })
  t.same(
    (await items(romeo)).map(({ attrs }) => attrs.id),
    [PLAY],
  )
  t.same(rooms(await list(romeo, 'pep')), [PLAY])
  await publishes(romeo, ORCHARD)
  t.same(rooms(await list(romeo, 'private')).sort(), [ORCHARD, PLAY])
  t.equal((await list(romeo, 'private'))?.getChild('url')?.attrs.name, 'Works')
  t.same(await later.server.database.knex('private_data'), [], 'one truth')
})

test('they outlive the server, and end with the account (XEP-0402)', async (t) => {
  const w = await library(t, { database: 'sqlite' })
  await publishes(w.romeo, PLAY)
  await w.restart()
  const back = await w.device('romeo', 'garden')
  t.same(
    (await items(back)).map(({ attrs }) => attrs.id),
    [PLAY],
  )
  await w.server.run('capulet.example', 'user remove', { jids: ['romeo@capulet.example'] })
  await w.settle()
  t.same(await w.server.database.knex('bookmarks'), [])
  t.same(await w.server.database.knex('bookmark_lists'), [])
})

test('an account says which forms are one (XEP-0402 §6, XEP-0411 §2)', async (t) => {
  const { romeo } = await library(t)
  const info = await romeo.asks(
    'get',
    'romeo@capulet.example',
    "<query xmlns='http://jabber.org/protocol/disco#info'/>",
  )
  const features = info
    .getChild('query')!
    .getChildren('feature')
    .map(({ attrs }) => attrs.var)
  for (const wanted of [`${NS}#compat`, `${NS}#compat-pep`, 'urn:xmpp:bookmarks-conversion:0'])
    t.ok(features.includes(wanted), wanted)
  t.ok(features.includes(`${PUBSUB}#publish-options`), 'they are heeded (XEP-0402 §8)')
  t.ok(features.includes(`${PUBSUB}#config-node-max`), 'max is understood (XEP-0402 §3.3)')
  const identities = info.getChild('query')!.getChildren('identity')
  t.notOk(
    identities.some(({ attrs }) => attrs.type === 'pep'),
    'of other nodes nothing is promised',
  )
})

test('who waits for the list is sent it when he comes online (XEP-0163 §4.3.4, XEP-0411 §4)', async (t) => {
  const w = await library(t)
  const { romeo, juliet } = w
  t.same(await listens(juliet, LIST), [], 'there is none')
  await publishes(romeo, PLAY)
  t.same(
    await listens(romeo, LIST, NS),
    ['list: current'],
    'items of their own are fetched (XEP-0402 §3.2)',
  )
  t.same(await listens(await w.device('juliet', 'tablet'), LIST), [], 'it is his alone')
})
