// What modules remember and count, with two nodes over a real Redis and a real PostgreSQL: a change on one
// node holds on the other from the moment on in which somebody there could know of it.

import { test, type Test } from 'tap'
import type { Host } from '../../lib/core/host.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { AccountRegistry } from '../../modules/accounts/account-registry.js'
import type { Rosters } from '../../modules/roster/rosters.js'
import { worldOver } from '../world/grounds.js'
import { noRedis, TestRedis } from '../world/redis.js'
import { DOMAIN, type World } from '../world/world.js'

const ROMEO = 'romeo@capulet.example'
const JULIET = 'juliet@capulet.example'

if (noRedis) {
  test('what two nodes remember', { skip: noRedis }, async () => {})
} else {
  const redis = await TestRedis.start()

  const twoNodes = (t: Test): Promise<World> => worldOver(t, redis)

  const hostOf = (w: World, node: number): Host => w.servers[node]!.hosts.get(DOMAIN)!

  const provided = <P>(w: World, node: number, module: string): P =>
    hostOf(w, node).modules.get(module)!.offers.provides as P

  const run = async (w: World, node: number, name: string, args: Record<string, unknown>) => {
    const result = await w.servers[node]!.run(DOMAIN, name, args)
    await w.settle()
    return result
  }

  const appears = async (look: () => boolean): Promise<void> => {
    while (!look()) await new Promise((resolve) => setTimeout(resolve, 10))
  }

  test('a roster is at hand on both nodes, and as it was changed on the other (RFC 6121 §2.1.6)', async (t) => {
    const w = await twoNodes(t)
    const number = await hostOf(w, 0).numberOf(Jid.parse(ROMEO))
    const here = provided<Rosters>(w, 1, 'roster')
    const item = (name: string): string =>
      `<query xmlns='jabber:iq:roster'><item jid='${JULIET}' name='${name}'/></query>`
    for (const name of ['Juliet', 'Capulet']) {
      await here.of(number)
      t.notOk(here.of(number) instanceof Promise, 'nobody reads the disk')
      await w.romeo.asks('set', undefined, item(name))
      await w.settle()
      t.equal((await here.of(number)).item(Jid.parse(JULIET)).name, name)
    }
  })

  test('accounts and passwords are at hand on both nodes, and as they were changed on the other', async (t) => {
    const w = await twoNodes(t)
    const accounts = provided<AccountRegistry>(w, 1, 'accounts')
    t.equal(await accounts.lookup('nurse'), undefined)
    await run(w, 0, 'user add', { jid: `nurse@${DOMAIN}`, password: 'first' })
    t.ok(await accounts.lookup('nurse'))
    t.notOk(accounts.lookup('nurse') instanceof Promise)
    t.ok(await accounts.passwords.check('nurse', 'first'))
    t.notOk(accounts.passwords.credentials('nurse') instanceof Promise)
    await run(w, 0, 'user password', { jid: `nurse@${DOMAIN}`, password: 'second' })
    t.notOk(await accounts.passwords.check('nurse', 'first'))
    t.ok(await accounts.passwords.check('nurse', 'second'))
  })

  test('who is disabled or removed is out on all nodes', async (t) => {
    const w = await twoNodes(t)
    const romeo = await w.device('romeo', 'laptop', { node: 1 })
    const juliet = await w.device('juliet', 'laptop', { node: 1 })
    await run(w, 0, 'user disable', { jids: ROMEO })
    t.ok(romeo.streamError?.getChild('not-authorized'))
    await run(w, 0, 'user remove', { jids: JULIET })
    t.ok(juliet.streamError?.getChild('not-authorized'))
    t.equal(await provided<AccountRegistry>(w, 1, 'accounts').lookup('juliet'), undefined)
  })

  test('who was disabled while Redis was away is out when it is back', async (t) => {
    const w = await twoNodes(t)
    const romeo = await w.device('romeo', 'laptop', { node: 1 })
    redis.kill()
    await appears(() => w.servers.every(({ members }) => members.cutOff))
    await run(w, 0, 'user disable', { jids: ROMEO })
    t.notOk(romeo.streamError)
    w.clock.advance(2000)
    await w.settle()
    t.ok(romeo.streamError?.getChild('not-authorized'), 'while nobody can be heard it looks itself')
    await redis.again()
    await appears(() => w.servers.every(({ members }) => !members.cutOff))
  })

  test('what an account wants kept holds on all nodes at once (XEP-0441 §2.3)', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.comesOnline()
    const wants = (standard: string): string =>
      `<prefs xmlns='urn:xmpp:mam:2' default='${standard}'><always/><never/></prefs>`
    const laptop = await w.device('juliet', 'laptop', { node: 1 })
    const kept = async (): Promise<number> => {
      const asks = "<query xmlns='urn:xmpp:mam:2'/>"
      await w.romeo.clears()
      await w.romeo.asks('set', undefined, asks)
      return w.romeo.inbox.filter((element) => element.getChild('result')).length
    }
    for (const [standard, most] of [
      ['never', 0],
      ['always', 1],
      ['never', 1],
    ] as const) {
      await w.romeo.asks('set', undefined, wants(standard))
      await w.settle()
      laptop.sends(`<message to='${ROMEO}' type='chat'><body>${standard}</body></message>`)
      await w.settle()
      t.equal(await kept(), most)
    }
  })

  test('an announcement reaches everybody, and a message of the day is one (XEP-0133 §4.23, §4.24)', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.comesOnline()
    const juliet = await w.device('juliet', 'laptop', { node: 1 })
    await juliet.comesOnline()
    const { note } = await run(w, 0, 'announcement send', { text: 'hear, hear' })
    t.match(note, /2 sessions/)
    for (const client of [w.romeo, juliet])
      await client.finds('<message type="headline"><body>hear, hear</body></message>')
    await run(w, 0, 'motd set', { text: 'first' })
    await run(w, 1, 'motd set', { text: 'second' })
    for (const client of [w.romeo, juliet])
      await client.finds('<message type="headline"><body>second</body></message>')
    const late = await w.device('romeo', 'late', { node: 1 })
    await late.comesOnline()
    t.notOk(late.inbox.some((element) => element.getChildText('body') === 'first'))
  })

  test('administrators see and end sessions of all nodes', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    const rows = async (name: string, args = {}) => (await run(w, 0, name, args)).rows ?? []
    t.same(
      (await rows('session list', { jid: ROMEO })).map(({ jid, node }) => [jid, node]),
      [
        [`${ROMEO}/phone`, 'node0'],
        [`${ROMEO}/laptop`, 'node1'],
      ],
    )
    t.match(await rows('user last-login', { jids: JULIET }), [
      { lastlogin: '2026-01-01T00:00:00.000Z' },
    ])
    t.match(await rows('user show', { jid: ROMEO }), [{ sessions: 2 }])
    t.match(await rows('user count-online'), [{ onlineusersnum: 2 }])
    t.match(
      (await rows('user online')).find(({ jid }) => jid === ROMEO),
      { resources: ['phone', 'laptop'] },
    )
    t.match(await run(w, 0, 'session kick', { jids: `${ROMEO}/laptop` }), {
      note: `${ROMEO}/laptop: ended`,
    })
    t.ok(laptop.streamError?.getChild('policy-violation'))
    t.notOk(w.romeo.streamError)
    await t.rejects(run(w, 0, 'session kick', { jids: `${ROMEO}/laptop` }))
  })

  test('who comes online sees who is there, whatever was remembered of them (RFC 6121 §4.2.2, §4.3.2)', async (t) => {
    const w = await twoNodes(t)
    await provided<Rosters>(w, 0, 'roster').setMutual(
      (await hostOf(w, 0).accounts!.lookup('romeo'))!,
      (await hostOf(w, 0).accounts!.lookup('juliet'))!,
    )
    for (const client of [w.romeo, w.juliet]) await client.leaves()
    await w.settle()
    for (const { directory } of w.servers)
      for (const account of [ROMEO, JULIET]) t.same(await directory.lookup(account), [])
    const romeo = await w.device('romeo', 'laptop')
    await romeo.comesOnline()
    await w.settle()
    const juliet = await w.device('juliet', 'laptop', { node: 1 })
    await juliet.comesOnline()
    await w.settle()
    await juliet.finds(`<presence from='${ROMEO}/laptop'/>`)
    await romeo.finds(`<presence from='${JULIET}/laptop'/>`)
  })

  test('devices of an account see each other, whatever was remembered of it (RFC 6121 §4.2.2)', async (t) => {
    const w = await twoNodes(t)
    await w.romeo.leaves()
    await w.settle()
    t.same(await w.servers[0]!.directory.lookup(ROMEO), [])
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.comesOnline()
    const phone = await w.device('romeo', 'phone')
    await phone.comesOnline()
    await w.settle()
    await phone.finds(`<presence from='${ROMEO}/laptop'/>`)
    await laptop.finds(`<presence from='${ROMEO}/phone'/>`)
  })

  test('a roster push reaches a device of which this node has not heard (RFC 6121 §2.1.6)', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
    const other = await w.device('romeo', 'other', { node: 1 })
    w.servers[0]!.directory.alone(ROMEO)
    const item = `<query xmlns='jabber:iq:roster'><item jid='${JULIET}' name='Juliet'/></query>`
    await w.romeo.asks('set', undefined, item)
    await w.settle()
    await laptop.finds(`<iq type='set'>${item}</iq>`)
    t.same(
      other.inbox.filter((element) => element.is('iq')),
      [],
      'it never asked for the roster',
    )
  })

  test('a subscription reaches all devices on other nodes that should see it (RFC 6121 §3.1.3, §3.1.6)', async (t) => {
    const w = await twoNodes(t)
    const [here] = w.servers
    const juliet = await w.device('juliet', 'laptop', { node: 1 })
    await juliet.comesOnline()
    const romeo = await w.device('romeo', 'laptop', { node: 1 })
    await romeo.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
    for (const account of [ROMEO, JULIET]) here!.directory.alone(account)
    w.romeo.sends(`<presence type='subscribe' to='${JULIET}'/>`)
    await w.settle()
    await juliet.finds(`<presence type='subscribe' from='${ROMEO}'/>`)
    w.juliet.sends(`<presence type='subscribed' to='${ROMEO}'/>`)
    await w.settle()
    const kinds = romeo.inbox.map((element) => [element.getName(), element.attrs.type])
    t.same(kinds.slice(-2), [
      ['presence', 'subscribed'],
      ['iq', 'set'],
    ])
  })

  test('a roster push that nobody could be told of comes all the same', async (t) => {
    const w = await twoNodes(t)
    const laptop = await w.device('romeo', 'laptop', { node: 1 })
    await laptop.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
    redis.kill()
    await appears(() => w.servers.every(({ members }) => members.cutOff))
    const item = `<query xmlns='jabber:iq:roster'><item jid='${JULIET}' name='Juliet'/></query>`
    await w.romeo.asks('set', undefined, item)
    await w.settle()
    t.same(laptop.inbox, [])
    w.clock.advance(2000)
    await w.settle()
    await laptop.finds(`<iq type='set'>${item}</iq>`)
    await laptop.clears()
    w.clock.advance(2000)
    await w.settle()
    t.same(laptop.inbox, [], 'once')
    await redis.again()
    await appears(() => w.servers.every(({ members }) => !members.cutOff))
  })

  test('a guest of one node is reached from the other, and gone when it leaves (XEP-0175)', async (t) => {
    const w = await twoNodes(t)
    const { guests } = provided<AccountRegistry>(w, 0, 'accounts')
    const { jid } = guests.admit()!
    const guest = await w.device(jid.text, 'browser')
    await guest.comesOnline()
    const juliet = await w.device('juliet', 'laptop', { node: 1 })
    const says = `<message to='${jid.text}' type='chat'><body>welcome</body></message>`
    juliet.sends(says)
    await w.settle()
    await guest.finds('<message><body>welcome</body></message>')
    guest.sends(`<message to='${JULIET}/laptop' type='chat'><body>thanks</body></message>`)
    await w.settle()
    await juliet.finds('<message><body>thanks</body></message>')
    await guest.leaves()
    guest.sends('</stream:stream>')
    await w.settle()
    w.servers[1]!.directory.doubt(jid.text)
    juliet.sends(says)
    await w.settle()
    await juliet.finds("<message type='error'/>")
  })

  test('stopped', () => redis.stop())
}
