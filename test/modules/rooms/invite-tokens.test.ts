// Tokens that make members (XEP-0488).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import {
  codes,
  condition,
  configures,
  enters,
  item,
  NS_ADMIN,
  opened,
  ROOM,
  roomsWorld,
} from './rooms-world.js'

const NS = 'urn:xmpp:muc-token-invite:0'
const CLOSED = { membersonly: '1', persistentroom: '1' }

function requests(client: Client, attributes = ''): Promise<Element> {
  return client.asks('set', ROOM, `<request xmlns='${NS}'${attributes}/>`)
}

async function token(client: Client, attributes = ''): Promise<string> {
  return (await requests(client, attributes)).getChild('token', NS)!.getText()
}

async function listed(client: Client): Promise<Element[]> {
  const answer = await client.asks('get', ROOM, `<tokens xmlns='${NS}'/>`)
  return answer.getChild('tokens', NS)!.getChildren('token')
}

/** What comes of entering with a token: the affiliation, or why not */
async function tries(client: Client, nick: string, token: string): Promise<string> {
  await client.clears()
  await enters(client, nick, { inside: `<password>${token}</password>` })
  const seen = client.inbox.find(
    (one) => one.is('presence') && (one.attrs.type === 'error' || codes(one).includes('110')),
  )!
  client.inbox = []
  if (seen.attrs.type !== 'error') return item(seen).affiliation!
  const known = seen.getChild('error')!.getChild('expired-token', NS) ? ' expired' : ''
  return condition(seen) + known
}

function leaves(client: Client, nick: string): void {
  client.sends(`<presence type='unavailable' to='${ROOM}/${nick}'/>`)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`who enters with a token is a member, and needs it once (XEP-0488 §3.2, §3.5, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    const tybalt = w.person('tybalt')
    await opened(w, { Romeo: romeo }, { fields: CLOSED })
    const info = await romeo.asks(
      'get',
      ROOM,
      "<query xmlns='http://jabber.org/protocol/disco#info'/>",
    )
    const features = info
      .getChild('query')!
      .getChildren('feature')
      .map(({ attrs }) => attrs.var)
    t.ok(features.includes(NS), '§3.1')
    const answer = await requests(romeo, " counter='2' delay='3600'")
    t.match(answer.getChild('token', NS)?.attrs, { counter: '2', delay: '3600' })
    const one = answer.getChild('token', NS)!.getText()

    t.equal(await tries(juliet, 'Juliet', one), 'member')
    leaves(juliet, 'Juliet')
    t.equal(
      await tries(juliet, 'Juliet', one),
      'member',
      'she is one now, and uses nothing up (§4)',
    )
    leaves(juliet, 'Juliet')
    await enters(juliet, 'Juliet')
    t.ok(await juliet.finds(`<presence from='${ROOM}/Juliet'/>`), 'nor needs it')
    w.clock.advance(60_000)
    t.match(
      (await listed(romeo)).map(({ attrs }) => attrs),
      [{ counter: '1', delay: '3540' }],
    )

    t.equal(await tries(tybalt, 'Tybalt', one), 'member')
    t.same(await listed(romeo), [], 'it was good twice')
    const none = `<item affiliation='none' jid='tybalt@capulet.example'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${none}</query>`)
    t.equal(await tries(tybalt, 'Tybalt', one), 'not-authorized expired')
  })

  test(`a token ends, and lives no longer than a month (XEP-0488 §3.3, §7, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: CLOSED })
    const life = async (attributes: string) =>
      (await requests(romeo, attributes)).getChild('token', NS)!.attrs.delay
    t.equal(await life(''), '604800', 'a week unless somebody says so')
    t.equal(await life(" delay='4294967295'"), '2592000')
    const short = await token(romeo, " delay='60'")
    w.clock.advance(60_001)
    t.equal(await tries(juliet, 'Juliet', short), 'not-authorized expired')
    t.equal(await tries(juliet, 'Juliet', 'never given'), 'not-authorized expired')
    t.equal((await listed(romeo)).length, 2)
    await enters(juliet, 'Juliet')
    const refused = await juliet.finds("<presence type='error'/>")
    t.equal(condition(refused), 'registration-required', 'without any it is as ever')
  })

  test(`who may invite makes them, and takes back their own (XEP-0488 §3.2, §3.6, §3.7, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    const tybalt = w.person('tybalt')
    await opened(w, { Romeo: romeo }, { fields: { ...CLOSED, allowinvites: '1' } })
    t.equal(condition(await requests(juliet)), 'forbidden', 'no member')
    t.equal(await tries(juliet, 'Juliet', await token(romeo)), 'member')
    const hers = await token(juliet)
    t.equal((await listed(juliet)).length, 1)
    t.same(
      (await listed(romeo)).map(({ attrs }) => attrs.creator),
      [undefined, 'juliet@capulet.example'],
      'he leads the room, and sees whose they are',
    )
    const revokes = (client: Client, text: string) =>
      client.asks('set', ROOM, `<revoke xmlns='${NS}'>${text}</revoke>`)
    const his = (await listed(romeo))[0]!.getText()
    t.equal(condition(await revokes(juliet, his)), 'item-not-found')
    t.equal(condition(await revokes(tybalt, his)), 'forbidden')
    t.equal((await revokes(romeo, his)).attrs.type, 'result')
    t.equal(condition(await revokes(romeo, his)), 'item-not-found')

    await configures(romeo, { allowinvites: '0' })
    t.equal(condition(await requests(juliet)), 'forbidden')
    t.equal(
      await tries(tybalt, 'Tybalt', hers),
      'not-authorized expired',
      'she may not, nor may hers',
    )
    await configures(romeo, { allowinvites: '1' })
    const out = `<item affiliation='outcast' jid='juliet@capulet.example'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${out}</query>`)
    t.equal(await tries(tybalt, 'Tybalt', hers), 'not-authorized expired', 'she is banned')
    t.equal(await tries(juliet, 'Juliet', await token(romeo)), 'forbidden', 'and stays so')
  })

  test(`there are not too many of them (LIM-invite-tokens, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo } = w
    await opened(w, { Romeo: romeo }, { fields: CLOSED })
    for (let i = 0; i < 10; i++) t.equal(condition(await requests(romeo, " delay='60'")), '')
    t.equal(condition(await requests(romeo)), 'resource-constraint')
    w.clock.advance(60_001)
    t.equal(condition(await requests(romeo)), '', 'those that have ended do not count')
    t.equal((await w.server.database.knex('room_tokens')).length, 1)
    await configures(romeo, { passwordprotectedroom: '1', roomsecret: 'x' })
    t.equal(condition(await requests(romeo)), 'not-allowed', 'a password lets people in')
  })
}

test('tokens outlive the server, and end with their room (XEP-0488)', async (t) => {
  const w = await roomsWorld(t, { database: 'sqlite' })
  const { romeo } = w
  await opened(w, { Romeo: romeo }, { fields: CLOSED })
  const one = await token(romeo, " counter='1'")
  await w.restart()
  const juliet = await w.device('juliet', 'garden')
  t.equal(await tries(juliet, 'Juliet', one), 'member')
  const back = await w.device('romeo', 'garden')
  await requests(back)
  const destroy = "<query xmlns='http://jabber.org/protocol/muc#owner'><destroy/></query>"
  await back.asks('set', ROOM, destroy)
  t.same(await w.server.database.knex('room_tokens'), [])
})
