// Rooms with very many in them: who comes when there are more than the operator says is shown to moderators
// alone, so that coming in costs the same however many there are.

import { test } from 'tap'
import { Jid } from '../../../lib/xmpp/jid.js'
import { Stanza } from '../../../lib/xmpp/stanza.js'
import { showToModerator } from '../../../modules/rooms/people/new-moderators.js'
import type { Occupant } from '../../../modules/rooms/occupants.js'
import type { Room } from '../../../modules/rooms/room.js'
import type { Client } from '../../world/client.js'
import { DOMAIN } from '../../world/world.js'
import {
  codes,
  enters,
  heard,
  item,
  NS_ADMIN,
  opened,
  ROOM,
  roomsWorld,
  says,
} from './rooms-world.js'

/** Of whom presence came, who has gone marked so */
async function sees(client: Client): Promise<string[]> {
  await client.settle()
  const seen = client.inbox
    .filter((element) => element.is('presence'))
    .map(({ attrs }) => `${attrs.type ? '-' : ''}${String(attrs.from).slice(ROOM.length + 1)}`)
  await client.clears()
  return seen
}

for (const nodes of [1, 2] as const)
  test(`who comes into a very large room is shown to moderators alone, until he is one (${nodes} nodes)`, async (t) => {
    const w = await roomsWorld(t, {
      ...{ nodes, spread: nodes === 2 },
      options: { rooms: { shown_occupants: 2 } },
    })
    const { romeo, juliet } = w
    const [tybalt, mercutio] = [w.person('tybalt'), w.person('mercutio')]
    await opened(w, { Romeo: romeo, Juliet: juliet })

    await enters(tybalt, 'Tybalt')
    t.ok(tybalt.inbox.some((element) => codes(element).includes('110')))
    t.same(await sees(tybalt), ['Romeo', 'Juliet', 'Tybalt'], 'he sees those who were here')
    t.same(await sees(juliet), [])
    t.same(await sees(romeo), ['Tybalt'], 'a moderator sees everybody')

    await enters(mercutio, 'Mercutio')
    t.same(await sees(mercutio), ['Romeo', 'Juliet', 'Mercutio'])
    says(tybalt, 'peace?')
    await w.settle()
    t.same(await heard(juliet), ['peace?'], 'what he says everybody hears')
    t.same(await heard(mercutio), ['peace?'])

    mercutio.sends(`<presence to='${ROOM}/Mercutio'><status>a plague</status></presence>`)
    await w.settle()
    t.same(await sees(juliet), [])
    mercutio.sends(`<presence type='unavailable' to='${ROOM}/Mercutio'/>`)
    await w.settle()
    t.same(await sees(juliet), [], 'who was not seen does not go')
    t.same(await sees(romeo), ['Mercutio', 'Mercutio', '-Mercutio'])

    const grant = `<item nick='Tybalt' role='moderator'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${grant}</query>`)
    await w.settle()
    t.same(await sees(juliet), ['Tybalt'], 'moderators are seen')
    tybalt.sends(`<presence type='unavailable' to='${ROOM}/Tybalt'/>`)
    await w.settle()
    t.same(await sees(juliet), ['-Tybalt'])
  })

/** Of whom presence came, with the real address */
function addresses(client: Client): string[] {
  return client.inbox
    .filter((element) => element.is('presence'))
    .map((element) => `${String(element.attrs.from).slice(ROOM.length + 1)} ${item(element).jid}`)
}

for (const nodes of [1, 2] as const)
  for (const whois of ['moderators', 'anyone'] as const)
    test(`who becomes a moderator is shown what he did not see before (§7.2.4, §9.6, whois: ${whois}, ${nodes} nodes)`, async (t) => {
      const w = await roomsWorld(t, {
        ...{ nodes, spread: nodes === 2 },
        options: { rooms: { shown_occupants: 2 } },
      })
      const { romeo, juliet } = w
      const tybalt = w.person('tybalt')
      const people = { Romeo: romeo, Juliet: juliet, Tybalt: tybalt }
      await opened(w, people, { fields: { whois } })
      const grants = async (grant: string): Promise<void> => {
        await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${grant}</query>`)
        await w.settle()
      }
      const at = (name: string): string => `${name} ${name.toLowerCase()}@${DOMAIN}/phone`
      const open = whois === 'anyone'
      await grants("<item nick='Juliet' role='moderator'/>")
      const hers = open ? ['Juliet', 'Tybalt'] : ['Juliet', 'Romeo', 'Tybalt']
      t.same(addresses(juliet), hers.map(at), 'and who came unseen')
      await tybalt.clears()
      await grants(`<item jid='tybalt@${DOMAIN}' affiliation='admin'/>`)
      t.same(addresses(tybalt), (open ? ['Tybalt'] : ['Tybalt', 'Romeo', 'Juliet']).map(at))
      await tybalt.clears()
      await grants(`<item jid='tybalt@${DOMAIN}' affiliation='owner'/>`)
      t.same(addresses(tybalt), [at('Tybalt')], 'who is one already has seen it')
    })

test('in a large room others come between what a new moderator is shown (§9.6)', async (t) => {
  const room = Jid.parse(ROOM)
  const presence = Stanza.parse('<presence/>')
  const crowd = Array.from({ length: 1200 }, (_, at): Occupant => {
    const jid = Jid.parse(`u${at}@${DOMAIN}/phone`)
    return {
      ...{ jid: room.withResource(`n${at}`), account: jid.bare, role: 'participant' },
      visitors: [{ jid, node: '', presence }],
    }
  })
  let sent = 0
  const fake = {
    occupants: { all: () => crowd },
    settings: { whois: 'moderators', shown: ['participant'] },
    venue: { features: [] },
    affiliationOf: () => 'none',
    sendMany: (all: readonly unknown[]) => {
      sent += all.length
    },
  } as unknown as Room
  const counts: number[] = []
  const look = (): void => {
    counts.push(sent)
    if (sent < crowd.length - 1) setImmediate(look)
  }
  setImmediate(look)
  await showToModerator(fake, crowd[0]!)
  t.equal(sent, crowd.length - 1)
  t.same(counts.slice(0, 2), [500, 1000])
})
