// Asking for a voice (XEP-0045 §7.13) and giving it (§8.6).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { WorldOptions } from '../../world/world.js'
import { condition, configures, item, NS_MUC, opened, ROOM, roomsWorld } from './rooms-world.js'

function submits(client: Client, values: Record<string, string>): void {
  const all = Object.entries(values).map(
    ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
  )
  const form = `<x xmlns='jabber:x:data' type='submit'>${all.join('')}</x>`
  client.sends(`<message to='${ROOM}' id='form'>${form}</message>`)
}

function asks(client: Client, role = 'participant'): void {
  submits(client, { FORM_TYPE: `${NS_MUC}#request`, 'muc#role': role })
}

function valuesOf(message: Element): Record<string, string> {
  const all = message.getChild('x', 'jabber:x:data')?.getChildren('field') ?? []
  return Object.fromEntries(all.map((one) => [one.attrs.var, one.getChildText('value') ?? '']))
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = async (): Promise<WorldOptions> =>
    nodes === 1 ? {} : { nodes, spread: true, database: await freshPostgres() }

  test(`moderators are asked, and one of them gives a voice (XEP-0045 §7.13, §8.6, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    const people = { Romeo: romeo, Juliet: juliet, Mercutio: mercutio }
    await opened(w, people, { fields: { moderatedroom: '1' } })
    asks(juliet)
    const form = valuesOf(await romeo.finds(`<message from='${ROOM}'/>`))
    t.match(form, {
      FORM_TYPE: `${NS_MUC}#request`,
      'muc#role': 'participant',
      'muc#jid': juliet.jid,
      'muc#roomnick': 'Juliet',
      'muc#request_allow': 'false',
    })
    await mercutio.receivesNothing()
    submits(mercutio, { ...form, 'muc#request_allow': 'true' })
    t.equal(condition(await mercutio.finds("<message type='error'/>")), 'forbidden')
    submits(romeo, form)
    await juliet.receivesNothing()
    submits(romeo, { ...form, 'muc#request_allow': 'true' })
    t.equal(item(await mercutio.finds(`<presence from='${ROOM}/Juliet'/>`)).role, 'participant')
    await juliet.finds(`<presence from='${ROOM}/Juliet'/>`)
    submits(romeo, { ...form, 'muc#jid': 'tybalt@capulet.example/tomb', 'muc#request_allow': '1' })
    const gone = await romeo.finds("<message type='error'/>")
    t.equal(condition(gone), 'item-not-found', 'whoever asked has gone')
  })

  test(`who may not ask is told so, and nobody is asked twice for nothing (§7.13, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { moderatedroom: '1' } })
    asks(mercutio)
    const outside = await mercutio.finds("<message type='error'/>")
    t.equal(condition(outside), 'not-acceptable', 'only who is here')
    asks(juliet, 'moderator')
    t.equal(condition(await juliet.finds("<message type='error'/>")), 'bad-request')
    asks(romeo)
    await romeo.receivesNothing()
    for (let at = 0; at < 5; at++) asks(juliet)
    await juliet.receivesNothing()
    asks(juliet)
    const pace = await juliet.finds("<message type='error'/>")
    t.equal(condition(pace), 'resource-constraint', 'LIM-room-asking')
    await configures(romeo, { allowvoicerequests: '0' })
    await juliet.clears()
    asks(juliet)
    t.equal(condition(await juliet.finds("<message type='error'/>")), 'not-allowed')
  })
}
