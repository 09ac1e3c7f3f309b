// The commands `session list` and `session kick`.

import { test } from 'tap'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { world } from '../world/world.js'

test('session list shows who is connected, or the sessions of one account', async (t) => {
  const { server, device } = await world(t, { modules: ['session-commands'] })
  await device('romeo', 'garden')
  const all = await server.run(undefined, 'session list', {})
  t.same(
    all.rows?.map(({ jid }) => jid),
    ['romeo@capulet.example/phone', 'juliet@capulet.example/phone', 'romeo@capulet.example/garden'],
  )
  const romeos = await server.run(undefined, 'session list', { jid: 'romeo@capulet.example' })
  t.equal(romeos.rows?.length, 2)
  t.match(romeos.rows?.[0], { available: false, priority: 0 })
})

test('session kick ends one session of a full address and all of an account', async (t) => {
  const { server, romeo, juliet, device, settle } = await world(t, {
    modules: ['session-commands'],
  })
  const garden = await device('romeo', 'garden')
  await server.run(undefined, 'session kick', { jids: ['romeo@capulet.example/garden'] })
  await settle()
  t.equal(garden.streamError?.getChild('policy-violation')?.name, 'policy-violation')
  t.notOk(romeo.closed)
  await device('romeo', 'balcony')
  const { note } = await server.run(undefined, 'session kick', { jids: 'romeo@capulet.example' })
  await settle()
  t.equal(note, 'romeo@capulet.example/phone, romeo@capulet.example/balcony: ended')
  t.ok(romeo.closed)
  t.notOk(juliet.closed)
})

test('session kick ends nothing where one address has no session', async (t) => {
  const { server, romeo } = await world(t, { modules: ['session-commands'] })
  const jids = ['romeo@capulet.example', 'nurse@capulet.example', 'juliet@capulet.example/other']
  await t.rejects(
    server.run(undefined, 'session kick', { jids }),
    new StanzaError(
      'item-not-found',
      'nurse@capulet.example, juliet@capulet.example/other: no session',
    ),
  )
  t.notOk(romeo.closed)
})
