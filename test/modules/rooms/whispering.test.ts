// Private messages in rooms (XEP-0045 §7.5).

import { test } from 'tap'
import { condition, NS_USER, opened, ROOM, roomsWorld } from './rooms-world.js'

const NS_ARCHIVE = 'urn:xmpp:mam:2'

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const spread = nodes === 2

  test(`a private message reaches every session of one nick, from the sender's nick (XEP-0045 §7.5, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    const tablet = await w.device('juliet', 'tablet')
    await opened(w, { Romeo: romeo, Juliet: juliet, Nurse: nurse })
    tablet.sends(
      `<presence to='${ROOM}/Juliet'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
    )
    await w.settle()
    for (const client of [romeo, juliet, nurse, tablet]) await client.clears()
    romeo.sends(`<message type='chat' to='${ROOM}/Juliet' id='w1'><body>psst</body></message>`)
    await w.settle()
    for (const client of [juliet, tablet]) {
      const heard = await client.finds(`<message from='${ROOM}/Romeo' type='chat' id='w1'/>`)
      t.equal(heard.getChildText('body'), 'psst')
      t.ok(heard.getChild('x', NS_USER), 'marked as said in a room')
      t.ok(heard.getChild('occupant-id', 'urn:xmpp:occupant-id:0'))
    }
    await nurse.receivesNothing()
  })

  test(`who is not there cannot be spoken to, and who is not there cannot speak (§7.5, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet, nurse } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    romeo.sends(`<message type='chat' to='${ROOM}/Tybalt'><body>you</body></message>`)
    t.equal(condition(await romeo.finds("<message type='error'/>")), 'item-not-found')
    romeo.sends(`<message type='groupchat' to='${ROOM}/Juliet'><body>you</body></message>`)
    t.equal(condition(await romeo.finds("<message type='error'/>")), 'bad-request')
    nurse.sends(`<message type='chat' to='${ROOM}/Juliet'><body>you</body></message>`)
    t.equal(condition(await nurse.finds("<message type='error'/>")), 'not-acceptable')
    await juliet.receivesNothing()
  })

  test(`who may whisper is the owner's to say; a moderator is always heard of (§7.5, muc#roomconfig_allowpm, ${where})`, async (t) => {
    const w = await roomsWorld(t, { nodes, spread })
    const { romeo, juliet } = w
    const tybalt = w.person('tybalt')
    await opened(
      w,
      { Romeo: romeo, Juliet: juliet, Tybalt: tybalt },
      { fields: { allowpm: 'moderators' } },
    )
    juliet.sends(`<message type='chat' to='${ROOM}/Tybalt'><body>you</body></message>`)
    t.equal(condition(await juliet.finds("<message type='error'/>")), 'forbidden')
    juliet.sends(`<message type='chat' to='${ROOM}/Romeo'><body>help</body></message>`)
    await w.settle()
    await romeo.finds(`<message from='${ROOM}/Juliet' type='chat'><body>help</body></message>`)
    await tybalt.receivesNothing()
  })
}

test("the sender's archive says that it went through a room (XEP-0045 §7.5)", async (t) => {
  const w = await roomsWorld(t)
  const { romeo, juliet } = w
  await opened(w, { Romeo: romeo, Juliet: juliet })
  romeo.sends(`<message type='chat' to='${ROOM}/Juliet' id='w1'><body>psst</body></message>`)
  await w.settle()
  await romeo.clears()
  await romeo.asks('set', undefined, `<query xmlns='${NS_ARCHIVE}'/>`)
  const kept = romeo.inbox.find(({ name }) => name === 'message')
  const message = kept?.getChild('result')?.getChild('forwarded')?.getChild('message')
  t.equal(message?.getChildText('body'), 'psst')
  t.ok(message?.getChild('x', NS_USER))
})
