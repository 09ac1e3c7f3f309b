// Who is mentioned in a room without being there (XEP-0452).

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { configures, enters, NS_ADMIN, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const ON = { forwardmentions: '1' }

function mention(uri: string): string {
  return `<reference xmlns='urn:xmpp:reference:0' type='mention' begin='0' end='6' uri='${uri}'/>`
}

/** A member with a reserved nick (XEP-0045 §9.5.4) */
function reserves(owner: Client, jid: string, nick: string) {
  const item = `<item affiliation='member' jid='${jid}' nick='${nick}'/>`
  return owner.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${item}</query>`)
}

/** Bodies of what was forwarded for a mention */
async function forwardedTo(client: Client): Promise<string[]> {
  await client.settle()
  const found = client.inbox.flatMap((one) => {
    const inner = one
      .getChild('mentions', 'urn:xmpp:mmn:0')
      ?.getChild('forwarded', 'urn:xmpp:forward:0')
    const message = inner?.getChild('message', 'jabber:client')
    return message ? [message.getChildText('body') ?? ''] : []
  })
  client.inbox = []
  return found
}

async function online(w: World, ...clients: Client[]): Promise<void> {
  for (const client of clients) await client.comesOnline()
  w.clock.advance(1)
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`a member who is not here is sent what mentions her (XEP-0452 §3.2, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: ON })
    t.equal((await reserves(romeo, 'juliet@capulet.example', 'Juliet')).attrs.type, 'result')
    await online(w, juliet)
    await juliet.clears()
    says(romeo, 'Juliet: come', { id: 'm1', more: mention('xmpp:juliet@capulet.example') })
    const copy = await juliet.finds(`<message from='${ROOM}'/>`)
    const inside = copy
      .getChild('mentions', 'urn:xmpp:mmn:0')
      ?.getChild('forwarded', 'urn:xmpp:forward:0')
    const message = inside?.getChild('message', 'jabber:client')
    t.match(message?.attrs, { type: 'groupchat', id: 'm1', from: `${ROOM}/Romeo`, to: ROOM })
    t.equal(
      message?.getChild('stanza-id', 'urn:xmpp:sid:0')?.attrs.by,
      ROOM,
      'with all that the room added',
    )
    t.ok(message?.getChild('occupant-id', 'urn:xmpp:occupant-id:0'))
    t.ok(inside?.getChild('delay', 'urn:xmpp:delay')?.attrs.stamp)

    const twice = mention('xmpp:juliet@capulet.example') + mention(`xmpp:${ROOM}/Juliet`)
    says(romeo, 'by both names', { more: twice })
    t.same(await forwardedTo(juliet), ['by both names'], 'once')
    says(romeo, 'by nick', { more: mention(`xmpp:${ROOM}/Juliet`) })
    t.same(await forwardedTo(juliet), ['by nick'])
    says(romeo, 'Juliet?')
    t.same(await forwardedTo(juliet), [], 'a name alone is no mention')

    await enters(juliet, 'Juliet')
    await juliet.clears()
    says(romeo, 'there you are', { more: mention('xmpp:juliet@capulet.example') })
    t.same(await forwardedTo(juliet), [], 'she is here, and hears it anyway')
  })

  test(`nobody else is, and not where the owner does not want it (XEP-0452 §2, §3.1, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo })
    await online(w, juliet, w.nurse)
    await juliet.clears()
    const tell = async (body: string) => {
      says(romeo, body, { more: mention('xmpp:juliet@capulet.example') })
      return forwardedTo(juliet)
    }
    await reserves(romeo, 'juliet@capulet.example', 'Juliet')
    t.same(await tell('not switched on'), [])
    await configures(romeo, ON)
    t.same(await tell('switched on'), ['switched on'])
    const nameless = "<item affiliation='member' jid='nurse@capulet.example'/>"
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${nameless}</query>`)
    await w.nurse.clears()
    says(romeo, 'no nick', { more: mention('xmpp:nurse@capulet.example') })
    t.same(await forwardedTo(w.nurse), [], 'a member without a nick has not asked for it (§2)')
    const none = `<item affiliation='none' jid='juliet@capulet.example'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${none}</query>`)
    t.same(await tell('no member'), [])
    const outcast = `<item affiliation='outcast' jid='juliet@capulet.example'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${outcast}</query>`)
    t.same(await tell('banned'), [])
    const bad = ['xmpp:%E0%A4%A', 'xmpp:', 'juliet@capulet.example', `xmpp:${ROOM}`, 'xmpp:@@']
    for (const uri of bad) says(romeo, 'x', { more: mention(uri) })
    t.same(await forwardedTo(juliet), [])
  })
}
