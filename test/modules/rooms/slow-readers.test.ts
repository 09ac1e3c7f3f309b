// A session that takes nothing any more (XEP-0198): it holds no more than its bound, goes out of the room, and
// what it missed is in the room's archive. The others notice nothing.

import { test } from 'tap'
import { codes, enters, heard, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const SM = "xmlns='urn:xmpp:sm:3'"
const MAM = 'urn:xmpp:mam:2'
const QUEUE = 20

for (const nodes of [1, 2] as const)
  test(`who takes nothing is put out of the room, and may read it in its archive (§12.1, ${nodes} nodes)`, async (t) => {
    const options = { 'stream-management': { queue: QUEUE } }
    const w = await roomsWorld(t, { nodes, spread: nodes === 2, options })
    const { romeo, juliet } = w
    const tybalt = w.person('tybalt')
    juliet.sends(`<enable ${SM} resume='true'/>`)
    await juliet.settle()
    await opened(w, { Romeo: romeo, Juliet: juliet, Tybalt: tybalt })

    const bodies = Array.from({ length: 3 * QUEUE }, (_, i) => `word ${i}`)
    for (const body of bodies) {
      says(romeo, body)
      await w.settle()
    }
    t.same(await heard(tybalt), bodies, 'somebody else gets it all')
    const gone = romeo.inbox.filter(
      ({ attrs }) => attrs.from === `${ROOM}/Juliet` && attrs.type === 'unavailable',
    )
    t.equal(gone.length, 1, 'she is gone, once')
    t.ok(codes(gone[0]!).includes('333'))
    const before = await heard(juliet)
    t.same(before, bodies.slice(0, before.length), 'what she got is the beginning')
    t.ok(before.length < 2 * QUEUE, 'no more than she may hold')

    const tablet = await w.device('juliet', 'tablet')
    await enters(tablet, 'Juliet')
    const set = `<set xmlns='http://jabber.org/protocol/rsm'><max>100</max></set>`
    await tablet.asks('set', ROOM, `<query xmlns='${MAM}'>${set}</query>`)
    const kept = tablet.inbox.flatMap((element) => {
      const result = element.getChild('result', MAM)
      return result?.getChild('forwarded')?.getChild('message')?.getChildText('body') ?? []
    })
    t.same(kept, bodies, 'all of it is in the archive')
  })
