// Invitations that go by way of the room, and their answers (XEP-0045 §7.8.2, §9.5).

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { AskingPace, MOST_ASKERS } from '../../../modules/rooms/asking-pace.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { WorldOptions } from '../../world/world.js'
import {
  condition,
  configures,
  enters,
  item,
  NS_ADMIN,
  NS_USER,
  opened,
  ROOM,
  roomsWorld,
} from './rooms-world.js'

function invites(client: Client, whom: string, inside = ''): void {
  const invite = `<invite to='${whom}'>${inside}</invite>`
  client.sends(`<message to='${ROOM}' id='call'><x xmlns='${NS_USER}'>${invite}</x></message>`)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = async (): Promise<WorldOptions> =>
    nodes === 1 ? {} : { nodes, spread: true, database: await freshPostgres() }

  test(`whoever is in an open room may invite, and who is invited may decline (XEP-0045 §7.8.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    await juliet.comesOnline()
    await mercutio.comesOnline()
    const secret = { passwordprotectedroom: '1', roomsecret: 'rose' }
    await opened(w, { Romeo: romeo }, { fields: secret })
    await enters(juliet, 'Juliet', { inside: '<password>rose</password>' })
    await juliet.clears()
    invites(juliet, mercutio.account, "<reason>Come</reason><continue thread='t1'/><x/>")
    const invitation = await mercutio.finds(`<message from='${ROOM}'/>`)
    t.equal(invitation.attrs.id, 'call')
    const x = invitation.getChild('x', NS_USER)
    t.equal(x?.getChildText('password'), 'rose')
    const invite = x?.getChild('invite')
    t.equal(invite?.attrs.from, juliet.account)
    t.equal(invite?.getChildText('reason'), 'Come')
    t.equal(invite?.getChild('continue')?.attrs.thread, 't1', '§7.9')
    t.notOk(invite?.getChild('x'), 'nothing else of what the inviter wrote')
    const direct = invitation.getChild('x', 'jabber:x:conference')?.attrs
    const said = { jid: ROOM, reason: 'Come', password: 'rose', continue: 'true', thread: 't1' }
    t.match(direct, said, 'for clients that know no other (XEP-0249 §2)')

    const decline = `<decline to='${juliet.account}'><reason>Too busy</reason></decline>`
    const answer = `<message to='${ROOM}' id='no'><x xmlns='${NS_USER}'>${decline}</x></message>`
    mercutio.sends(answer)
    await w.settle()
    const told = await juliet.finds(`<message from='${ROOM}'/>`)
    const declined = told.getChild('x', NS_USER)?.getChild('decline')
    t.equal(declined?.attrs.from, mercutio.account)
    t.equal(declined?.getChildText('reason'), 'Too busy')
    mercutio.sends(answer.replace(juliet.account, 'tybalt@capulet.example'))
    const refused = await mercutio.finds("<message type='error'/>")
    t.equal(condition(refused), 'item-not-found', 'a room carries nothing to strangers')
    const members = `<query xmlns='${NS_ADMIN}'><item affiliation='member'/></query>`
    const list = await romeo.asks('get', ROOM, members)
    t.notOk(list.getChild('query')?.getChild('item'), 'no member of an open room by it (§9.5)')
  })

  test(`into a room of members admins invite, and who is invited is a member (§9.5, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    const mercutio = w.person('mercutio')
    for (const one of [juliet, mercutio]) await (await one.comesOnline()).clears()
    await opened(w, { Romeo: romeo }, { fields: { membersonly: '1' } })
    invites(mercutio, juliet.account)
    const stranger = await mercutio.finds("<message type='error'/>")
    t.equal(condition(stranger), 'not-acceptable', 'who is not in the room')
    invites(romeo, juliet.account)
    await juliet.finds(`<message from='${ROOM}'/>`)
    await enters(juliet, 'Juliet')
    t.equal(item(await juliet.finds(`<presence from='${ROOM}/Juliet'/>`)).affiliation, 'member')
    invites(juliet, mercutio.account)
    const refused = await juliet.finds("<message type='error'/>")
    t.equal(condition(refused), 'forbidden', '§9.5')
    await mercutio.receivesNothing()
    await configures(romeo, { allowinvites: '1' })
    invites(juliet, mercutio.account)
    await mercutio.finds(`<message from='${ROOM}'/>`)
    await enters(mercutio, 'Mercutio')
    const self = await mercutio.finds(`<presence from='${ROOM}/Mercutio'/>`)
    t.equal(item(self).affiliation, 'member', 'the owner lets members invite')
  })

  test(`who is banned is not invited, and an address is needed (§7.8.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    const ban = `<item affiliation='outcast' jid='${juliet.account}'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${ban}</query>`)
    invites(romeo, juliet.account)
    t.equal(condition(await romeo.finds("<message type='error'/>")), 'not-allowed')
    invites(romeo, '')
    t.equal(condition(await romeo.finds("<message type='error'/>")), 'jid-malformed')
    await juliet.receivesNothing()
  })

  test(`who is away finds the invitation later (§7.8.2, ${where})`, async (t) => {
    const modules = ['rooms', 'presence', 'disco', 'stream-management', 'offline-messages']
    const w = await roomsWorld(t, { ...(await options()), modules })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    invites(romeo, juliet.account)
    await w.settle()
    await juliet.receivesNothing()
    await juliet.comesOnline()
    const invitation = await juliet.finds(`<message from='${ROOM}'/>`)
    t.ok(invitation.getChild('x', NS_USER)?.getChild('invite'))
  })
}

test('nobody invites without end (LIM-room-asking)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo, juliet } = w
  await juliet.comesOnline()
  await opened(w, { Romeo: romeo })
  for (let at = 0; at < 100; at++) invites(romeo, juliet.account)
  await romeo.receivesNothing()
  invites(romeo, juliet.account)
  t.equal(condition(await romeo.finds("<message type='error'/>")), 'resource-constraint')
})

test('of those who ask only so many are remembered (LIM-room-asking)', async (t) => {
  const pace = new AskingPace()
  for (let at = 0; at < MOST_ASKERS + 10; at++)
    pace.take(Jid.parse(`romeo${at}@capulet.example`), 'voice', 0)
  t.equal(pace.size, MOST_ASKERS)
})

test('one message invites so many and no more (LIM-invitees)', async (t) => {
  const w = await roomsWorld(t)
  await opened(w, { Romeo: w.romeo })
  const all = Array.from({ length: 51 }, (_, at) => `<invite to='p${at}@x.example'/>`)
  w.romeo.sends(`<message to='${ROOM}'><x xmlns='${NS_USER}'>${all.join('')}</x></message>`)
  t.equal(condition(await w.romeo.finds("<message type='error'/>")), 'resource-constraint')
})
