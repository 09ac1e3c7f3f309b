// What one user can do to the clients of another, through sockets: the attacker speaks over one way
// in, the victim over the other.

import { createHash } from 'node:crypto'
import type { Element } from '../../lib/xmpp/element.js'
import type { CapsApi } from '../../modules/caps/caps.js'
import { outcomeOf, type Way } from './driver.js'
import { DOMAIN, overBoth, type Person, type Served, serve } from './served.js'

const NS_INFO = 'http://jabber.org/protocol/disco#info'

async function romeoAndJuliet(house: Served, way: Way): Promise<{ romeo: Person; juliet: Person }> {
  const other = way === 'TCP' ? 'WebSocket' : 'TCP'
  const [romeo, juliet] = [await house.logsIn(way, 'romeo'), await house.logsIn(other, 'juliet')]
  return { romeo, juliet }
}

const forwarded = `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@${DOMAIN}'><body>Run!</body></message></forwarded>`

overBoth('SEC-50: copies that somebody else made do not arrive (XEP-0280 §11)', async (t, way) => {
  const house = await serve(t)
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  juliet.peer.sends('<presence/>')
  await juliet.peer.finds('presence')
  for (const to of [juliet.jid, `juliet@${DOMAIN}`]) {
    for (const name of ['sent', 'received']) {
      romeo.peer.sends(
        `<message to='${to}' type='chat'><${name} xmlns='urn:xmpp:carbons:2'>${forwarded}</${name}><body>hello</body></message>`,
      )
      const got = await juliet.peer.finds('message')
      t.same(
        got.getChildElements().map((child) => child.name),
        ['body', 'stanza-id'],
      )
    }
  }
})

overBoth('SEC-51: nobody pushes a roster to anybody (RFC 6121 §2.1.6)', async (t, way) => {
  const house = await serve(t)
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  const laptop = await house.logsIn(way, 'juliet', 'laptop')
  const push = `<query xmlns='jabber:iq:roster'><item jid='tybalt@${DOMAIN}' subscription='both'/></query>`
  for (const attacker of [romeo, laptop]) {
    const answer = await attacker.peer.asks('set', juliet.jid, push)
    t.equal(outcomeOf(answer), 'service-unavailable')
  }
  const bare = await romeo.peer.asks('set', `juliet@${DOMAIN}`, push)
  t.equal(outcomeOf(bare), 'service-unavailable')
  t.ok(await house.answers(juliet))
  t.equal(juliet.peer.inbox.length, 0)
})

function featuresOf(house: Served, { jid }: Person): string[] | undefined {
  const host = house.server.hosts.get(DOMAIN)!
  const session = [...host.sessions.all()].find((one) => one.jid.text === jid)!
  const caps = host.modules.get('caps')!.offers.provides as CapsApi
  const features = caps.featuresOf(session)
  return features && [...features]
}

function info(id: string, { feature, more = '' }: { feature: string; more?: string }): string {
  return `<iq type='result' id='${id}'${more}><query xmlns='${NS_INFO}'><identity category='client' type='phone'/><feature var='${feature}'/></query></iq>`
}

/** XEP-0115 §5.1 */
function verOf(feature: string): string {
  return createHash('sha1').update(`client/phone//<${feature}<`).digest('base64')
}

function announces(ver: string): string {
  return `<presence><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:phone' ver='${ver}'/></presence>`
}

/** The server's question about what the client can do. */
async function question({ peer }: Person): Promise<Element> {
  const asked = await peer.finds('iq')
  if (!asked.getChild('query', NS_INFO)) throw new Error(`no question: ${asked}`)
  return asked
}

overBoth('SEC-55: an answer counts once, from who was asked', async (t, way) => {
  const house = await serve(t)
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  juliet.peer.sends(announces('ver of nobody'))
  const { attrs } = await question(juliet)
  t.match(attrs.id, /^[\w-]{22,}$/, 'not to be guessed')
  for (const to of [DOMAIN, `juliet@${DOMAIN}`]) {
    romeo.peer.sends(info(attrs.id, { feature: 'urn:forged', more: ` to='${to}'` }))
    romeo.peer.sends(`<iq type='error' id='${attrs.id}' to='${to}'><error type='cancel'/></iq>`)
    romeo.peer.sends(`<message id='${attrs.id}' to='${to}'><body>!</body></message>`)
  }
  juliet.peer.sends(`<message id='${attrs.id}' to='${DOMAIN}' type='error'/>`)
  juliet.peer.sends(`<presence id='${attrs.id}' to='${DOMAIN}'/>`)
  t.ok(await house.answers(romeo))
  t.ok(await house.answers(juliet))
  t.equal(featuresOf(house, juliet), undefined, 'nothing of this was the answer')
  juliet.peer.sends(info(attrs.id, { feature: 'urn:true', more: ` to='${DOMAIN}'` }))
  t.ok(await house.answers(juliet))
  t.same(featuresOf(house, juliet), ['urn:true'])
  juliet.peer.sends(info(attrs.id, { feature: 'urn:again', more: ` to='${DOMAIN}'` }))
  juliet.peer.sends(info('no-such-question', { feature: 'urn:again', more: ` to='${DOMAIN}'` }))
  t.ok(await house.answers(juliet))
  t.same(featuresOf(house, juliet), ['urn:true'], 'an answer comes once')
})

overBoth('SEC-62: nobody teaches what another client can do', async (t, way) => {
  const house = await serve(t)
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  const ver = verOf('urn:popular')
  romeo.peer.sends(announces(ver))
  const asked = await question(romeo)
  t.equal(asked.getChild('query')?.attrs.node, `urn:phone#${ver}`)
  romeo.peer.sends(info(asked.attrs.id, { feature: 'urn:poison', more: ` to='${DOMAIN}'` }))
  t.ok(await house.answers(romeo))
  juliet.peer.sends(announces(ver))
  const again = await question(juliet)
  juliet.peer.sends(info(again.attrs.id, { feature: 'urn:popular', more: ` to='${DOMAIN}'` }))
  t.ok(await house.answers(juliet))
  t.same(featuresOf(house, juliet), ['urn:popular'])
  const laptop = await house.logsIn(way, 'juliet', 'laptop')
  laptop.peer.sends(announces(ver))
  t.ok(await house.answers(laptop))
  t.same(
    featuresOf(house, laptop),
    ['urn:popular'],
    'what was proved is known, and not asked again',
  )
  t.notOk(laptop.peer.inbox.some((element) => element.getChild('query', NS_INFO)))
})
