// Ids that somebody gives in our name (SEC-53).

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { DOMAIN, world } from '../../world/world.js'
import { IDS } from '../../../modules/archive/archive-ids.js'
import { asks, JULIET, NS_SID, ROMEO } from './archive-world.js'

const id = (by: string) => `<stanza-id xmlns='${NS_SID}' by='${by}' id='forged'/>`
const prefixed = (by: string) => `<s:stanza-id xmlns:s='${NS_SID}' id="forged" by = "${by}" />`

const disguises = [
  JULIET,
  'JULIET@CAPULET.EXAMPLE',
  'ＪＵＬＩＥＴ@capulet.example',
  'juliet@capulet。example',
  '&#x6a;uliet@capulet.example',
  ` ${JULIET} `,
  `${JULIET}/phone`,
  ROMEO,
  DOMAIN,
  `nobody@${DOMAIN}`,
  'not an @ address @',
  '',
]

test('SEC-53: of ids in our name exactly one arrives, the archive’s (XEP-0359 §3)', async (t) => {
  const w = await world(t, { modules: ['archive'] })
  const tries = disguises.flatMap((by) => [id(by), prefixed(by), id(by).repeat(50)])
  tries.push(`<stanza-id xmlns='${NS_SID}' id='forged'/>`, tries.join(''))
  for (const [at, forged] of tries.entries()) {
    w.romeo.sends(
      `<message to='${w.juliet.jid}' type='chat' id='1'>${forged}<body>one</body><origin-id xmlns='${NS_SID}' id='mine ${at}'/>${forged}</message>`,
    )
    const message = await w.juliet.receives("<message id='1'><body>one</body></message>")
    const { results } = await asks(w.juliet, { set: '<before/><max>1</max>' })
    t.same(
      message.getChildren('stanza-id', NS_SID).map(({ attrs }) => [attrs.by, attrs.id]),
      [[JULIET, results[0]!.id]],
      forged.slice(0, 120),
    )
    t.equal(message.getChild('origin-id', NS_SID)?.attrs.id, `mine ${at}`, 'what is not ours stays')
    t.same(results[0]!.message.getChildren('stanza-id', NS_SID), [])
    const { results: sent } = await asks(w.romeo, { set: '<before/><max>1</max>' })
    t.same(sent[0]!.message.getChildren('stanza-id', NS_SID), [], 'nor in the sender’s archive')
  }
})

test('SEC-53: nor does it come from elsewhere, of whatever type, kept or not', async (t) => {
  const { server, juliet } = await world(t, { modules: ['archive'] })
  for (const type of ['chat', 'normal', 'headline', 'groupchat', 'error']) {
    const stanza = Stanza.parse(
      `<message xmlns='jabber:client' type='${type}' id='1'>${id(JULIET)}<body>one</body>${id('room@rooms.example')}</message>`,
    )
    const from = Jid.parse('room@rooms.example/tybalt')
    server.router.send(stanza, { from, to: Jid.parse(juliet.jid) })
    const message = await juliet.receives("<message id='1'/>")
    const ids = message.getChildren('stanza-id', NS_SID)
    const theirs = ids.filter(({ attrs }) => attrs.by === 'room@rooms.example')
    t.equal(theirs.length, 1, `${type}: a room’s own id stays (XEP-0359 §3)`)
    t.notOk(ids.some(({ attrs }) => attrs.id === 'forged' && attrs.by === JULIET))
  }
})

test('ids say nothing, and are the same after a restart (XEP-0359 §3, XEP-0313 §6.2)', async (t) => {
  const { freshPostgres } = await import('../../world/postgres.js')
  const database = await freshPostgres()
  const first = await world(t, { modules: ['archive'], database })
  for (let i = 0; i < 20; i++)
    first.romeo.sends(`<message to='${first.juliet.jid}' type='chat'><body>${i}</body></message>`)
  await first.settle()
  const before = (await asks(first.juliet)).results.map((result) => result.id)
  await first.close()
  const second = await world(t, { modules: ['archive'], database, people: [], nodes: 2 })
  for (const node of [0, 1]) {
    const again = await second.device('juliet', `node ${node}`, { node })
    t.same(
      (await asks(again)).results.map((result) => result.id),
      before,
    )
  }
  const key = await second.server.database.knex('shared_secrets').where({ name: IDS })
  t.equal(key.length, 1)
  t.equal(new Set(before.map((one) => one.slice(0, 4))).size, 20, 'neighbours look nothing alike')
})
