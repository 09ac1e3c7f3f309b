// What somebody may try with archives, through sockets: the attacker speaks over one way in, the victim
// over the other.

import type { Element } from '../../lib/xmpp/element.js'
import { outcomeOf, type Way } from './driver.js'
import { DOMAIN, overBoth, type Person, type Served, serve } from './served.js'

const NS_ARCHIVE = 'urn:xmpp:mam:2'
const NS_SID = 'urn:xmpp:sid:0'
const JULIET = `juliet@${DOMAIN}`
const forwarded = `<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='nurse@${DOMAIN}'><body>Run!</body></message></forwarded>`

async function romeoAndJuliet(house: Served, way: Way): Promise<{ romeo: Person; juliet: Person }> {
  const other = way === 'TCP' ? 'WebSocket' : 'TCP'
  const [romeo, juliet] = [await house.logsIn(way, 'romeo'), await house.logsIn(other, 'juliet')]
  juliet.peer.sends('<presence/>')
  await juliet.peer.finds('presence')
  return { romeo, juliet }
}

function namesOf(message: Element): string[] {
  return message
    .getChildElements()
    .map((child) => child.getName())
    .filter((name) => name !== 'stanza-id')
}

/** The outcome of a query, and the messages that it brought. */
async function query(
  { peer }: Person,
  inside = '',
): Promise<{ outcome: string; results: Element[] }> {
  const answer = await peer.asks('set', undefined, `<query xmlns='${NS_ARCHIVE}'>${inside}</query>`)
  const results = peer.inbox
    .splice(0)
    .flatMap((stanza) => stanza.getChild('result', NS_ARCHIVE) ?? [])
    .map((result) => result.getChild('forwarded')!.getChild('message')!)
  return { outcome: outcomeOf(answer), results }
}

overBoth('SEC-52: results of an archive that somebody made up do not arrive', async (t, way) => {
  const house = await serve(t)
  const { romeo: first, juliet } = await romeoAndJuliet(house, way)
  let romeo = first
  const forged = `<result xmlns='${NS_ARCHIVE}' id='1' queryid='f27'>${forwarded}</result>`
  for (const to of [juliet.jid, JULIET]) {
    romeo.peer.sends(`<message to='${to}' type='chat'>${forged}<body>hello</body></message>`)
    t.same(namesOf(await juliet.peer.finds('message')), ['body'])
    romeo.peer.sends(`<message to='${to}' from='${JULIET}' type='chat'>${forged}</message>`)
    t.equal(await romeo.peer.condition(), 'invalid-from', 'nor in her own name')
    romeo = await house.logsIn(way, 'romeo')
  }
  const { results } = await query(juliet)
  t.ok(results.length > 0)
  for (const result of results) t.same(namesOf(result), ['body'], 'nor in the archive')
})

overBoth('SEC-53: of ids in our name exactly one arrives, the archive’s', async (t, way) => {
  const house = await serve(t)
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  const names = [JULIET, 'JULIET@Capulet.example', 'ＪＵＬＩＥＴ@capulet.example', DOMAIN]
  for (const by of names) {
    for (const count of [1, 2, 50]) {
      const forged = `<stanza-id xmlns='${NS_SID}' by='${by}' id='forged'/>`.repeat(count)
      romeo.peer.sends(`<message to='${juliet.jid}' type='chat'>${forged}<body>!</body></message>`)
      const ids = (await juliet.peer.finds('message')).getChildren('stanza-id', NS_SID)
      t.equal(ids.length, 1)
      t.equal(ids[0]!.attrs.by, JULIET)
      t.not(ids[0]!.attrs.id, 'forged')
    }
  }
})

overBoth('SEC-56: nobody takes back what another said (XEP-0424 §5)', async (t, way) => {
  const house = await serve(t, { people: ['romeo', 'juliet', 'tybalt'] })
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  const tybalt = await house.logsIn(way, 'tybalt')
  romeo.peer.sends(`<message to='${JULIET}' type='chat' id='a'><body>mine</body></message>`)
  const message = await juliet.peer.finds('message')
  for (const id of ['a', message.getChild('stanza-id', NS_SID)!.attrs.id]) {
    for (const to of [JULIET, `romeo@${DOMAIN}`]) {
      for (const { peer } of [tybalt, juliet])
        peer.sends(
          `<message to='${to}' type='chat' id='b'><retract xmlns='urn:xmpp:message-retract:1' id='${id}'/><body>!</body></message>`,
        )
    }
  }
  t.ok(await house.answers(tybalt))
  t.ok(await house.answers(juliet))
  for (const person of [romeo, juliet])
    t.equal((await query(person)).results[0]!.getChildText('body'), 'mine')
})

overBoth('SEC-63: pages as nobody should ask for them', async (t, way) => {
  const house = await serve(t)
  const { romeo, juliet } = await romeoAndJuliet(house, way)
  romeo.peer.sends(`<message to='${JULIET}' type='chat'><body>one</body></message>`)
  await juliet.peer.finds('message')
  const evil = ["' or 1=1 --", '1) union select * from accounts --', '-1', '18446744073709551616']
  evil.push('NaN', '٣', 'x'.repeat(200_000), '&#x9;', '%00')
  for (const text of evil) {
    for (const name of ['after', 'before', 'max', 'index']) {
      const set = `<set xmlns='http://jabber.org/protocol/rsm'><${name}>${text}</${name}></set>`
      const { outcome, results } = await query(juliet, set)
      const refused = ['item-not-found', 'bad-request', 'feature-not-implemented']
      t.ok(refused.includes(outcome), `${name} ${text.slice(0, 30)}: ${outcome}`)
      t.equal(results.length, 0)
    }
  }
  t.equal((await query(juliet)).results.length, 1)
  t.ok(await house.answers(romeo))
})
