// Registering with a room and the nicks that are kept for its members (XEP-0045 §7.10, §7.12, §9.9).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, type WorldOptions } from '../../world/world.js'
import {
  condition,
  configures,
  enters,
  item,
  NS_ADMIN,
  NS_MUC,
  opened,
  ROOM,
  roomsWorld,
} from './rooms-world.js'

const REGISTER = 'jabber:iq:register'

function asks(client: Client): Promise<Element> {
  return client.asks('get', ROOM, `<query xmlns='${REGISTER}'/>`)
}

function registers(client: Client, nick: string): Promise<Element> {
  const form = fields({ FORM_TYPE: `${NS_MUC}#register`, 'muc#register_roomnick': nick })
  return client.asks('set', ROOM, `<query xmlns='${REGISTER}'>${form}</query>`)
}

function fields(values: Record<string, string>): string {
  const all = Object.entries(values).map(
    ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
  )
  return `<x xmlns='jabber:x:data' type='submit'>${all.join('')}</x>`
}

async function ownNick(client: Client): Promise<string | undefined> {
  const query = `<query xmlns='http://jabber.org/protocol/disco#info' node='x-roomuser-item'/>`
  const answer = await client.asks('get', ROOM, query)
  return answer.getChild('query')?.getChild('identity')?.attrs.name
}

function valuesOf(message: Element): Record<string, string> {
  const x = message.getChild('x', 'jabber:x:data')
  const all = x?.getChildren('field') ?? []
  return Object.fromEntries(all.map((one) => [one.attrs.var, one.getChildText('value') ?? '']))
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = async (): Promise<WorldOptions> =>
    nodes === 1 ? {} : { nodes, spread: true, database: await freshPostgres() }

  test(`who registers with an open room is a member at once, and the nick is his (XEP-0045 §7.10, §7.12, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await opened(w, { Romeo: romeo, Juliet: juliet })
    t.equal(await ownNick(juliet), undefined, 'none yet (§7.12)')
    const form = await asks(juliet)
    t.notOk(form.getChild('query')?.getChild('registered'))
    t.ok('muc#register_roomnick' in valuesOf(form.getChild('query')!))
    t.equal((await registers(juliet, 'Rose')).attrs.type, 'result')
    await w.settle()
    const seen = await romeo.finds(`<presence from='${ROOM}/Juliet'/>`)
    t.equal(item(seen).affiliation, 'member')
    const known = await asks(juliet)
    t.ok(known.getChild('query')?.getChild('registered'))
    t.equal(known.getChild('query')?.getChildText('username'), 'Rose')
    t.equal(await ownNick(juliet), 'Rose')

    await enters(mercutio, 'Rose')
    const refused = await mercutio.finds("<presence type='error'/>")
    t.equal(condition(refused), 'conflict', 'somebody else has it (§7.12)')
    t.equal(condition(await registers(mercutio, 'Rose')), 'conflict', '§7.10')
    t.equal(condition(await registers(mercutio, 'Juliet')), 'conflict', 'she is here as that')
    t.equal(condition(await registers(mercutio, 'x'.repeat(101))), 'not-acceptable')
    const empty = `<query xmlns='${REGISTER}'/>`
    t.equal(condition(await mercutio.asks('set', ROOM, empty)), 'bad-request', 'no form (§7.10)')

    t.equal((await registers(juliet, 'Juliet')).attrs.type, 'result', 'another one')
    t.equal(await ownNick(juliet), 'Juliet')
    const remove = `<query xmlns='${REGISTER}'><remove/></query>`
    t.equal((await juliet.asks('set', ROOM, remove)).attrs.type, 'result')
    t.equal(await ownNick(juliet), undefined)
    t.equal(condition(await juliet.asks('set', ROOM, remove)), 'registration-required')
    t.equal((await registers(romeo, 'Romeo')).attrs.type, 'result', 'owners have nicks, too')
    t.equal((await romeo.asks('set', ROOM, remove)).attrs.type, 'result')
    const owners = `<query xmlns='${NS_ADMIN}'><item affiliation='owner'/></query>`
    const [owner] = (await romeo.asks('get', ROOM, owners)).getChild('query')!.getChildren('item')
    t.same(owner?.attrs, { affiliation: 'owner', jid: romeo.account }, 'and stay owners')
  })

  test(`where only members may enter an admin says who becomes one (§9.9, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await romeo.comesOnline()
    await juliet.comesOnline()
    await opened(w, { Romeo: romeo }, { fields: { membersonly: '1' } })
    await enters(juliet, 'Juliet')
    const out = await juliet.finds("<presence type='error'/>")
    t.equal(condition(out), 'registration-required')
    t.equal((await registers(juliet, 'Rose')).attrs.type, 'result')
    const asked = await romeo.finds(`<message from='${ROOM}'/>`)
    const values = valuesOf(asked)
    t.match(values, {
      FORM_TYPE: `${NS_MUC}#register`,
      'muc#register_roomnick': 'Rose',
      'muc#jid': juliet.account,
      'muc#register_allow': '0',
    })
    const answer = (client: Client, allow: string): void =>
      client.sends(
        `<message to='${ROOM}' id='yes'>${fields({ ...values, 'muc#register_allow': allow })}</message>`,
      )
    answer(mercutio, '1')
    const refused = await mercutio.finds("<message type='error'/>")
    t.equal(condition(refused), 'forbidden', 'only admins')
    answer(romeo, '0')
    await w.settle()
    t.equal(await ownNick(juliet), undefined, 'no is no')
    answer(romeo, '1')
    const invitation = await juliet.finds(`<message from='${ROOM}'/>`)
    t.ok(invitation.getChild('x', `${NS_MUC}#user`)?.getChild('invite'))
    await enters(juliet, 'Rose')
    t.equal(item(await juliet.finds(`<presence from='${ROOM}/Rose'/>`)).affiliation, 'member')
  })

  test(`who may not register is told so (§7.10, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    await configures(romeo, { allowregister: '0' })
    t.equal(condition(await asks(juliet)), 'not-allowed')
    t.equal(condition(await registers(juliet, 'Rose')), 'not-allowed')
    const nowhere = `nowhere@${ROOM.split('@')[1]}`
    const query = `<query xmlns='${REGISTER}'/>`
    t.equal(condition(await juliet.asks('get', nowhere, query)), 'item-not-found')
  })
}

test('requests for membership have a bound (LIM-room-asking)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo }, { fields: { membersonly: '1' } })
  const answers = []
  for (let at = 0; at < 6; at++) answers.push(await registers(juliet, `Rose ${at}`))
  t.same(answers.map(condition), ['', '', '', '', '', 'resource-constraint'])
})

test('not more than so many admins are asked (LIM-room-admins-asked)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo }, { fields: { membersonly: '1' } })
  const items = Array.from(
    { length: 30 },
    (_, at) => `<item affiliation='admin' jid='p${at}@x.example'/>`,
  )
  await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${items.join('')}</query>`)
  const asked: string[] = []
  const { router } = w.server.hosts.get(DOMAIN)!
  const { send } = router
  router.send = (stanza, to) => {
    if (to.from.text === ROOM) asked.push(to.to.text)
    return send.call(router, stanza, to)
  }
  t.equal((await registers(juliet, 'Rose')).attrs.type, 'result')
  await w.settle()
  t.equal(asked.filter((to) => to.startsWith('p')).length, 19, 'and the owner')
})
