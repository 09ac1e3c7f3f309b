// What administrators may know of users (XEP-0133).

import { test, type Test } from 'tap'
import { world, type WorldOptions } from '../../world/world.js'
import { ADMIN, command, conditions, runs, values } from '../commands/ad-hoc.js'

async function palace(t: Test, options: WorldOptions = {}) {
  const modules = ['service-administration', 'commands']
  return world(t, { modules, people: ['romeo', 'juliet', 'nurse'], ...options })
}

test('accounts are counted and listed (XEP-0133 §4.13, §4.14, §4.18, §4.19)', async (t) => {
  const { nurse, server } = await palace(t)
  await server.run(undefined, 'user disable', { jids: 'juliet@capulet.example' })
  t.same(values(await runs(nurse, `${ADMIN}#get-registered-users-num`), 'registeredusersnum'), [
    '3',
  ])
  t.same(values(await runs(nurse, `${ADMIN}#get-disabled-users-num`), 'disabledusersnum'), ['1'])
  const all = await runs(nurse, `${ADMIN}#get-registered-users-list`, { max_items: 'none' })
  t.same(values(all, 'registereduserjids')?.sort(), [
    'juliet@capulet.example',
    'nurse@capulet.example',
    'romeo@capulet.example',
  ])
  const some = await runs(nurse, `${ADMIN}#get-registered-users-list`, { max_items: '2' })
  t.equal(values(some, 'registereduserjids')?.length, 2)
  const disabled = await runs(nurse, `${ADMIN}#get-disabled-users-list`, {})
  t.same(values(disabled, 'disableduserjids'), ['juliet@capulet.example'])
})

test('who is online is counted once, whatever their devices (XEP-0133 §4.15, §4.20)', async (t) => {
  const verona = await palace(t)
  await verona.device('romeo', 'garden')
  await verona.juliet.leaves()
  const { nurse } = verona
  t.same(values(await runs(nurse, `${ADMIN}#get-online-users-num`), 'onlineusersnum'), ['2'])
  const list = await runs(nurse, `${ADMIN}#get-online-users-list`, { max_items: 'none' })
  t.same(values(list, 'onlineuserjids')?.sort(), ['nurse@capulet.example', 'romeo@capulet.example'])
})

test('who was silent for long is idle, the others are active (XEP-0133 §4.16, §4.17, §4.21, §4.22)', async (t) => {
  const options = { 'service-administration': { idle: '5 minutes' } }
  const { nurse, romeo, clock } = await palace(t, { options })
  clock.advance(4 * 60_000)
  romeo.transport.feed(' ')
  clock.advance(2 * 60_000)
  const list = async (node: string) =>
    values(await runs(nurse, `${ADMIN}#${node}`, { max_items: 'none' }), 'activeuserjids')?.sort()
  t.same(await list('get-active-users'), ['nurse@capulet.example', 'romeo@capulet.example'])
  t.same(await list('get-idle-users'), ['juliet@capulet.example'])
  t.same(values(await runs(nurse, `${ADMIN}#get-active-users-num`), 'activeusersnum'), ['2'])
  t.same(values(await runs(nurse, `${ADMIN}#get-idle-users-num`), 'idleusersnum'), ['1'])
})

test('an empty list is a field without values (XEP-0133 §4.22)', async (t) => {
  const { nurse } = await palace(t)
  t.same(values(await runs(nurse, `${ADMIN}#get-idle-users`, {}), 'activeuserjids'), [])
})

test('the last login is known, also after they left and after a restart (XEP-0133 §4.9)', async (t) => {
  const verona = await palace(t, { people: ['romeo', 'nurse', 'paris'] })
  const ask = async (name: string) => {
    const fields = { accountjids: `${name}@capulet.example` }
    return values(await runs(verona.nurse, `${ADMIN}#get-user-lastlogin`, fields), 'lastlogin')
  }
  t.same(await ask('romeo'), ['2026-01-01T00:00:00.000Z'])
  verona.clock.advance(3600_000)
  await verona.romeo.leaves()
  t.same(await ask('romeo'), ['2026-01-01T00:00:00.000Z'])
  const again = await verona.device('romeo')
  t.same(await ask('romeo'), ['2026-01-01T01:00:00.000Z'])
  await again.leaves()
  verona.clock.advance(60_000)
  await verona.settle()
  t.equal((await verona.server.database.knex('last_logins').select('*')).length, 3, 'written')
  t.same(await ask('romeo'), ['2026-01-01T01:00:00.000Z'])
})

test('several accounts are a table', async (t) => {
  const { nurse } = await palace(t)
  const accountjids = ['romeo@capulet.example', 'juliet@capulet.example']
  const answer = await runs(nurse, `${ADMIN}#get-user-lastlogin`, { accountjids })
  t.equal(answer.getChild('command')?.getChild('x')?.getChildren('item').length, 2)
})

test('statistics of a user: what is known of them (XEP-0133 §4.10)', async (t) => {
  const verona = await palace(t)
  await verona.device('romeo', 'garden')
  const item = "<item jid='juliet@capulet.example'/>"
  await verona.romeo.asks('set', undefined, `<query xmlns='jabber:iq:roster'>${item}</query>`)
  const fields = { accountjid: 'romeo@capulet.example' }
  const answer = await runs(verona.nurse, `${ADMIN}#user-stats`, fields)
  t.same(values(answer, 'ipaddresses'), ['127.0.0.1'])
  t.same(values(answer, 'rostersize'), ['1'])
  t.same(values(answer, 'onlineresources'), ['phone', 'garden'])
  t.equal(values(answer, 'stanzaspersecond'), undefined, 'what is not measured is left out')
})

test('an account that is not there is not found', async (t) => {
  const { nurse } = await palace(t)
  for (const jid of ['nobody@capulet.example', 'romeo@montague.example', 'capulet.example']) {
    const answers = [
      await runs(nurse, `${ADMIN}#user-stats`, { accountjid: jid }),
      await runs(nurse, `${ADMIN}#get-user-lastlogin`, { accountjids: jid }),
    ]
    for (const answer of answers) t.same(conditions(answer), ['item-not-found'], jid)
  }
})

test("it works on the administrator's own address, and for nobody else (XEP-0133 §7)", async (t) => {
  const { nurse, romeo } = await palace(t)
  const own = await runs(nurse, `${ADMIN}#get-online-users-num`, {}, 'nurse@capulet.example')
  t.same(values(own, 'onlineusersnum'), ['3'])
  for (const node of [
    'get-online-users-num',
    'get-online-users-list',
    'get-user-lastlogin',
    'user-stats',
  ])
    t.same(conditions(await command(romeo, `${ADMIN}#${node}`)), ['forbidden'], node)
})

test('nothing is kept of an account that is gone', async (t) => {
  const verona = await palace(t)
  verona.clock.advance(60_000)
  await verona.settle()
  await verona.server.run(undefined, 'user remove', { jids: 'romeo@capulet.example' })
  await verona.settle()
  const accounts = await verona.server.database.knex('last_logins').pluck('account')
  t.equal(accounts.length, 2)
})
