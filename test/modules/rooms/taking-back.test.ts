// Taking back what was said: one's own (XEP-0424), and what others said, by moderators (XEP-0425). Nobody else
// does it, whatever they send (SEC-56).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { World, WorldOptions } from '../../world/world.js'
import { asks } from '../archive/archive-world.js'
import { condition, enters, heard, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const NS_RETRACT = 'urn:xmpp:message-retract:1'
const NS_MODERATE = 'urn:xmpp:message-moderate:1'

function retracts(client: Client, id: string, { more = '', name = 'taken back' } = {}): void {
  client.sends(
    `<message type='groupchat' to='${ROOM}' id='${name}'><retract xmlns='${NS_RETRACT}' id='${id}'>${more}</retract>` +
      `<fallback xmlns='urn:xmpp:fallback:0' for='${NS_RETRACT}'/><body>never mind</body><store xmlns='urn:xmpp:hints'/></message>`,
  )
}

function moderates(client: Client, id: string, reason = ''): Promise<Element> {
  const why = reason && `<reason>${reason}</reason>`
  return client.asks(
    'set',
    ROOM,
    `<moderate xmlns='${NS_MODERATE}' id='${id}'><retract xmlns='${NS_RETRACT}'/>${why}</moderate>`,
  )
}

/** Says it, and gives the id that the room gave it. */
async function said(w: World, client: Client, body: string): Promise<string> {
  says(client, body, { id: `id of ${body}` })
  await w.settle()
  const stanza = client.inbox.find(({ attrs }) => attrs.id === `id of ${body}`)
  return stanza!.getChild('stanza-id')!.attrs.id
}

/** What newcomers are shown, without history of before */
async function historyFor(client: Client, nick: string): Promise<Element[]> {
  await enters(client, nick)
  return client.inbox.filter((one) => one.is('message') && one.getChild('delay'))
}

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  // Errors are kept by accounts, too: two nodes write to one log.
  const options = async (): Promise<WorldOptions> => ({
    ...{ nodes, spread: nodes === 2, modules: ['rooms', 'disco', 'search'] },
    ...(nodes === 2 && { database: await freshPostgres() }),
  })

  test(`what its author takes back is gone, also after a change of nick (XEP-0424 §4, §5, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const id = await said(w, juliet, 'a secret')
    juliet.sends(`<presence to='${ROOM}/Capulet'/>`)
    await w.settle()
    retracts(juliet, id)
    const told = await romeo.finds(`<message from='${ROOM}/Capulet' id='taken back'/>`)
    t.equal(told.getChild('retract', NS_RETRACT)?.attrs.id, id)

    const { results, bodies } = await asks(romeo, { to: ROOM })
    t.same(bodies, ['', 'never mind'], 'a tombstone, and what says so (§5)')
    const [{ message }] = results as [(typeof results)[0]]
    t.equal(message.attrs.id, 'id of a secret')
    t.equal(message.getChild('retracted', NS_RETRACT)?.attrs.id, 'taken back')
    t.ok(message.getChild('retracted')?.attrs.stamp)
    t.ok(message.getChild('occupant-id'), 'its author stays (XEP-0425 §6)')
    t.notMatch(`${message}`, 'secret</body>')
    const search = { '{urn:xmpp:fulltext:0}fulltext': 'secret' }
    t.same((await asks(romeo, { to: ROOM, fields: search })).results, [])

    const history = await historyFor(nurse, 'Nurse')
    t.equal(history.length, 2)
    t.ok(history[0]?.getChild('retracted', NS_RETRACT))
    t.equal(history[0]?.getChild('stanza-id')?.attrs.id, id)
    t.notMatch(history.join(''), '<body>a secret')
  })

  test(`SEC-56: nobody takes back what somebody else said, nor under the nick of it (XEP-0424 §5, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet, Nurse: nurse })
    const id = await said(w, juliet, 'mine')
    retracts(nurse, id)
    t.equal(condition(await nurse.finds("<message type='error'/>")), 'forbidden')
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await w.settle()
    nurse.sends(`<presence to='${ROOM}/Juliet'/>`)
    await w.settle()
    await romeo.clears()
    retracts(nurse, id)
    t.equal(condition(await nurse.finds("<message type='error'/>")), 'forbidden')
    // An id of hers that is the same, and a correction of what she did not say, change nothing.
    nurse.sends(
      `<message type='groupchat' to='${ROOM}' id='id of mine'><body>not so</body><replace xmlns='urn:xmpp:message-correct:0' id='id of mine'/></message>`,
    )
    t.same(await heard(romeo), ['not so'])
    t.same((await asks(romeo, { to: ROOM })).bodies, ['mine', 'not so'])
    await romeo.clears()
    retracts(romeo, 'no id of ours')
    t.ok(
      await nurse.finds(`<message from='${ROOM}/Romeo' id='taken back'/>`),
      'it may be of before',
    )
  })

  test(`a moderator takes back what others said, and the room says so (XEP-0425 §4, §6, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const id = await said(w, juliet, 'potions for free')
    t.equal(condition(await moderates(juliet, id)), 'forbidden', 'only moderators (§5)')
    t.equal(condition(await moderates(nurse, id)), 'forbidden', 'nobody from outside')
    t.equal(condition(await moderates(romeo, 'no id')), 'item-not-found')
    t.equal((await moderates(romeo, id, 'not &lt;here&gt;')).attrs.type, 'result')
    for (const client of [romeo, juliet]) {
      const told = await client.finds(
        `<message from='${ROOM}' type='groupchat'><retract/></message>`,
      )
      const retract = told.getChild('retract', NS_RETRACT)!
      t.equal(retract.attrs.id, id)
      t.equal(retract.getChild('moderated', NS_MODERATE)!.attrs.by, `${ROOM}/Romeo`)
      t.ok(retract.getChild('moderated')!.getChild('occupant-id')?.attrs.id)
      t.equal(retract.getChildText('reason'), 'not <here>')
      t.ok(told.getChild('stanza-id'))
    }
    const { results } = await asks(juliet, { to: ROOM })
    const [gone, word] = results
    const tombstone = gone!.message.getChild('retracted', NS_RETRACT)!
    t.equal(tombstone.getChild('moderated', NS_MODERATE)!.attrs.by, `${ROOM}/Romeo`)
    t.equal(tombstone.attrs.id, word!.message.attrs.id)
    t.equal(word!.message.attrs.from, ROOM)
    t.equal(gone!.body, '')
    const history = await historyFor(nurse, 'Nurse')
    t.ok(history[0]?.getChild('retracted')?.getChild('moderated'))
    t.notMatch(history.join(''), 'potions for free<')

    await romeo.clears()
    t.equal((await moderates(romeo, id)).attrs.type, 'result', 'it is gone already')
    await romeo.receivesNothing()
  })

  test(`clients of the version before may moderate, and are told in its words (XEP-0425 0.2 §3, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const id = await said(w, juliet, 'potions for free')
    const retract = "<retract xmlns='urn:xmpp:message-retract:0'/><reason>no</reason>"
    const moderate = `<moderate xmlns='urn:xmpp:message-moderate:0'>${retract}</moderate>`
    const request = `<apply-to xmlns='urn:xmpp:fasten:0' id='${id}'>${moderate}</apply-to>`
    t.equal(condition(await juliet.asks('set', ROOM, request)), 'forbidden', 'only moderators')
    t.equal((await romeo.asks('set', ROOM, request)).attrs.type, 'result')
    for (const client of [romeo, juliet]) {
      const told = await client.finds(
        `<message from='${ROOM}' type='groupchat'><retract/></message>`,
      )
      const fastened = told.getChild('apply-to', 'urn:xmpp:fasten:0')!
      const moderated = fastened.getChild('moderated', 'urn:xmpp:message-moderate:0')!
      t.equal(fastened.attrs.id, id)
      t.equal(moderated.attrs.by, `${ROOM}/Romeo`)
      t.ok(moderated.getChild('retract', 'urn:xmpp:message-retract:0'))
      t.equal(moderated.getChildText('reason'), 'no')
    }
  })

  test(`SEC-56: what only the room says about moderation nobody says for it (XEP-0425 §7, ${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const id = await said(w, juliet, 'mine')
    await romeo.clears()
    const by = `by='${ROOM}/Romeo'`
    retracts(juliet, id, { more: `<moderated xmlns='${NS_MODERATE}' ${by}/>` })
    retracts(juliet, id, { more: `<m:moderated xmlns:m='urn:xmpp:message-moderate&#58;1' ${by}/>` })
    const forged = [
      `<moderated xmlns='${NS_MODERATE}' ${by}/>`,
      `<retracted xmlns='${NS_RETRACT}' id='${id}'/>`,
      `<apply-to xmlns='urn:xmpp:fasten:0' id='${id}'><moderated xmlns='urn:xmpp:message-moderate:0' ${by}/></apply-to>`,
    ]
    for (const more of forged) says(juliet, 'forged', { more })
    await w.settle()
    const errors = juliet.inbox.filter(({ attrs }) => attrs.type === 'error')
    t.same(errors.map(condition), Array(5).fill('forbidden'))
    await romeo.receivesNothing()
    t.same((await asks(romeo, { to: ROOM })).bodies, ['mine'])
  })
}

test('corrections, reactions and replies go to everybody and stay (XEP-0308, XEP-0444, XEP-0461)', async (t) => {
  const w = await roomsWorld(t)
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet })
  const id = await said(w, juliet, 'a nmae')
  await romeo.clears()
  const sent = [
    `<body>a name</body><replace xmlns='urn:xmpp:message-correct:0' id='id of a nmae'/>`,
    `<reactions xmlns='urn:xmpp:reactions:0' id='${id}'><reaction>x</reaction></reactions>`,
    `<body>indeed</body><reply xmlns='urn:xmpp:reply:0' id='${id}' to='${ROOM}/Juliet'/>`,
  ]
  for (const inside of sent)
    juliet.sends(`<message type='groupchat' to='${ROOM}'>${inside}</message>`)
  await w.settle()
  const names = (stanza: Element): string[] =>
    stanza.getChildElements().map((child) => child.getName())
  const live = romeo.inbox.map(names)
  const { results } = await asks(romeo, { to: ROOM, fields: { 'after-id': id } })
  t.equal(live.length, 3)
  t.same(
    results.map(({ message }) => names(message)),
    live.map((all) => all.filter((name) => name !== 'stanza-id').concat('x')),
    'kept as it was said, with its author for a moderator',
  )
})
