// Announcements, the message of the day and the welcome (XEP-0133 §4.23 to §4.28).

import { test, type Test } from 'tap'
import type { Client } from '../../world/client.js'
import { world } from '../../world/world.js'
import { ADMIN, command, conditions, runs, status, values } from '../commands/ad-hoc.js'

async function town(t: Test, nodes: 1 | 2 = 1) {
  const people = ['romeo', 'juliet', 'nurse']
  return world(t, { modules: ['announcements', 'presence', 'commands'], people, nodes })
}

const says = (text: string) =>
  `<message type='headline' from='capulet.example'><body>${text}</body></message>`

async function hearsNothing(client: Client): Promise<void> {
  await client.settle()
  const messages = client.inbox.filter((element) => element.is('message'))
  if (messages.length > 0) throw new Error(`${client.jid} heard ${messages.join('\n')}`)
}

test('everybody who is online hears an announcement, on every device (XEP-0133 §4.23)', async (t) => {
  const verona = await town(t)
  const { romeo, juliet, nurse } = verona
  const garden = await verona.device('romeo', 'garden')
  await romeo.comesOnline()
  await garden.comesOnline('<priority>-1</priority>')
  const fields = { announcement: ['Romeo is banished.', 'Hence!'] }
  const answer = await runs(nurse, `${ADMIN}#announce`, fields)
  t.equal(status(answer), 'completed')
  t.match(answer.getChild('command')?.getChildText('note'), '2 sessions')
  await romeo.finds(says('Romeo is banished.\nHence!'))
  await garden.finds(says('Romeo is banished.\nHence!'))
  await hearsNothing(juliet)
})

test('a message of the day reaches each account once, now or later (XEP-0133 §4.24)', async (t) => {
  const verona = await town(t)
  const { romeo, juliet, nurse } = verona
  await romeo.comesOnline()
  const text = 'The feast is tonight.'
  await runs(nurse, `${ADMIN}#set-motd`, { motd: text })
  await romeo.finds(says(text))
  await hearsNothing(juliet)
  await juliet.comesOnline()
  await juliet.finds(says(text))
  for (const name of ['romeo', 'juliet']) {
    const again = await verona.device(name, 'later')
    await again.comesOnline()
    await hearsNothing(again)
  }
})

test('two devices that come at once hear it once', async (t) => {
  const verona = await town(t)
  await verona.server.run(undefined, 'motd set', { text: 'The feast is tonight.' })
  const devices = await Promise.all(['a', 'b', 'c'].map((name) => verona.device('juliet', name)))
  for (const device of devices) device.sends('<presence/>')
  await verona.settle()
  t.equal(devices.filter(({ inbox }) => String(inbox).includes('feast')).length, 1)
})

test('set anew it is a new one; edited it is the same (XEP-0133 §4.24, §4.25)', async (t) => {
  const { romeo, juliet, nurse } = await town(t)
  await romeo.comesOnline()
  await runs(nurse, `${ADMIN}#set-motd`, { motd: 'The feast is tonite.' })
  await romeo.clears()
  const form = await command(nurse, `${ADMIN}#edit-motd`)
  t.same(values(form, 'motd'), ['The feast is tonite.'], 'the form has the text as it is')
  await runs(nurse, `${ADMIN}#edit-motd`, { motd: 'The feast is tonight.' })
  await hearsNothing(romeo)
  await juliet.comesOnline()
  await juliet.finds(says('The feast is tonight.'))
  await runs(nurse, `${ADMIN}#set-motd`, { motd: 'The feast is over.' })
  await romeo.finds(says('The feast is over.'))
  await juliet.finds(says('The feast is over.'))
})

test('deleted it is not told any more; what is not there is not found (XEP-0133 §4.26)', async (t) => {
  const { juliet, nurse } = await town(t)
  t.same(conditions(await runs(nurse, `${ADMIN}#delete-motd`)), ['item-not-found'])
  t.same(conditions(await runs(nurse, `${ADMIN}#edit-motd`, { motd: 'x' })), ['item-not-found'])
  await runs(nurse, `${ADMIN}#set-motd`, { motd: 'The feast is tonight.' })
  t.equal(status(await runs(nurse, `${ADMIN}#delete-motd`)), 'completed')
  await juliet.comesOnline()
  await hearsNothing(juliet)
})

test('who is new is welcomed once (XEP-0133 §4.27)', async (t) => {
  const verona = await town(t)
  await runs(verona.nurse, `${ADMIN}#set-welcome`, { welcome: 'Welcome, gentlemen!' })
  const form = await command(verona.nurse, `${ADMIN}#set-welcome`)
  t.same(values(form, 'welcome'), ['Welcome, gentlemen!'])
  await verona.juliet.comesOnline()
  await hearsNothing(verona.juliet)
  const jid = 'paris@capulet.example'
  await verona.server.run(undefined, 'user add', { jid, password: 'a good password' })
  const paris = await (await verona.device('paris')).comesOnline()
  await paris.finds(says('Welcome, gentlemen!'))
  await paris.leaves()
  await hearsNothing(await (await verona.device('paris')).comesOnline())
})

test('without a welcome nobody is welcomed later (XEP-0133 §4.28)', async (t) => {
  const verona = await town(t)
  await runs(verona.nurse, `${ADMIN}#set-welcome`, { welcome: 'Welcome!' })
  t.equal(status(await runs(verona.nurse, `${ADMIN}#delete-welcome`)), 'completed')
  const jid = 'paris@capulet.example'
  await verona.server.run(undefined, 'user add', { jid, password: 'a good password' })
  await hearsNothing(await (await verona.device('paris')).comesOnline())
})

test('each node tells its own as they come (XEP-0133 §4.24)', async (t) => {
  const verona = await town(t, 2)
  await verona.juliet.comesOnline()
  await verona.server.run(undefined, 'motd set', { text: 'One.' })
  await verona.juliet.finds(says('One.'))
  const there = await verona.device('romeo', 'there', { node: 1 })
  await (await there.comesOnline()).finds(says('One.'))
  await verona.servers[1]!.run(undefined, 'motd edit', { text: 'Two.' })
  await (await (await verona.device('nurse', 'x')).comesOnline()).finds(says('Two.'))
})

test('nothing is no announcement, and one has its limit (LIM-announcement)', async (t) => {
  const { nurse } = await town(t)
  t.same(conditions(await runs(nurse, `${ADMIN}#announce`, { announcement: '' })), ['bad-request'])
  const long = 'x'.repeat(10_001)
  t.same(conditions(await runs(nurse, `${ADMIN}#set-motd`, { motd: long })), ['not-acceptable'])
})

test('they are for administrators (XEP-0133 §7)', async (t) => {
  const { romeo } = await town(t)
  for (const node of [
    'announce',
    'set-motd',
    'edit-motd',
    'delete-motd',
    'set-welcome',
    'delete-welcome',
  ])
    t.same(conditions(await command(romeo, `${ADMIN}#${node}`)), ['forbidden'], node)
})

test('nothing is kept of an account that is gone', async (t) => {
  const verona = await town(t)
  await verona.server.run(undefined, 'welcome set', { text: 'Welcome!' })
  await verona.server.run(undefined, 'motd set', { text: 'One.' })
  const jid = 'paris@capulet.example'
  await verona.server.run(undefined, 'user add', { jid, password: 'a good password' })
  await verona.romeo.comesOnline()
  await verona.server.run(undefined, 'user remove', { jids: [jid, 'romeo@capulet.example'] })
  await verona.settle()
  const { knex } = verona.server.database
  t.same(await knex('announcements_seen').select('*'), [])
  t.same(await knex('welcomes_due').select('*'), [])
})
