// Rooms in the inbox of those who belong to them, whether they are there or not (XEP-0430 §4).

import { test } from 'tap'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import type { World, WorldOptions } from '../../world/world.js'
import { enters, NS_ADMIN, NS_OWNER, opened, ROOM, roomsWorld, says } from './rooms-world.js'

const NS_INBOX = 'urn:xmpp:inbox:1'
const LASTING = { persistentroom: '1' }

interface Entry {
  readonly jid: string
  readonly unread: number
  readonly mentions: number
  readonly body: string | undefined
  readonly text: string
}

async function inbox(client: Client): Promise<{ entries: Entry[]; unread: number }> {
  const answer = await client.asks('get', undefined, `<inbox xmlns='${NS_INBOX}'/>`)
  const entries: Entry[] = []
  client.inbox = client.inbox.filter((stanza) => {
    const entry = stanza.getChild('entry', NS_INBOX)
    const forwarded = stanza.getChild('result')?.getChild('forwarded')
    if (entry)
      entries.push({
        jid: entry.attrs.jid,
        unread: Number(entry.attrs.unread),
        mentions: Number(entry.getChild('mentions')?.attrs.count ?? 0),
        body: forwarded?.getChild('message')?.getChildText('body') ?? undefined,
        text: `${stanza}`,
      })
    return !entry
  })
  return { entries, unread: Number(answer.getChild('fin')?.attrs['all-unread']) }
}

async function affiliates(w: World, affiliation: string, nick = ''): Promise<void> {
  const item = `<item jid='juliet@capulet.example' affiliation='${affiliation}'${nick && ` nick='${nick}'`}/>`
  const answer = await w.romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${item}</query>`)
  if (answer.attrs.type !== 'result') throw new Error(`${answer}`)
}

async function say(w: World, client: Client, body: string, more = ''): Promise<string> {
  says(client, body, { id: body, more })
  await w.settle()
  const stanza = client.inbox.find(({ attrs }) => attrs.id === body)
  return stanza?.getChild('stanza-id')?.attrs.id ?? ''
}

for (const nodes of [1, 2] as const) {
  const options = async (): Promise<WorldOptions> => ({
    ...{ nodes, spread: nodes === 2, modules: ['rooms', 'inbox'] },
    ...(nodes === 2 && { database: await freshPostgres() }),
  })

  test(`who belongs to a room sees it in the inbox without being there (XEP-0430 §4, ${nodes} nodes)`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo }, { fields: LASTING })
    t.same((await inbox(juliet)).entries, [])
    await affiliates(w, 'member')
    t.same((await inbox(juliet)).entries, [], 'nothing was said yet')
    await say(w, romeo, 'one')
    const id = await say(w, romeo, 'two')
    const { entries, unread } = await inbox(juliet)
    t.match(entries, [{ jid: ROOM, unread: 2, mentions: 0, body: 'two' }])
    t.equal(unread, 2)
    t.match(entries[0]!.text, id, 'the id that the room gave it')
    t.notMatch(entries[0]!.text, `romeo@capulet`)
    t.match((await inbox(romeo)).entries, [{ jid: ROOM, unread: 0 }], 'what one said is not unread')

    await enters(juliet, 'Juliet')
    await juliet.clears()
    await say(w, juliet, 'mine')
    t.match(
      (await inbox(juliet)).entries,
      [{ unread: 2, body: 'mine' }],
      'it hides nothing of before',
    )
    juliet.sends(
      `<message type='groupchat' to='${ROOM}'><displayed xmlns='urn:xmpp:chat-markers:0' id='${id}'/></message>`,
    )
    await w.settle()
    t.match((await inbox(juliet)).entries, [{ unread: 0 }], 'displayed (XEP-0333 §4.1)')
    t.match((await inbox(romeo)).entries, [{ unread: 1, body: 'mine' }])
    await say(w, romeo, 'three')
    t.match((await inbox(juliet)).entries, [{ unread: 1, body: 'three' }], 'also of who is there')

    await affiliates(w, 'none')
    t.same((await inbox(juliet)).entries, [], 'at once')
    await affiliates(w, 'admin')
    await romeo.asks('set', ROOM, `<query xmlns='${NS_OWNER}'><destroy/></query>`)
    t.same((await inbox(juliet)).entries, [])
  })

  test(`who was named in a room, and has not seen it, is told how often (XEP-0372 §3.2, XEP-0513 §3.1, ${nodes} nodes)`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: LASTING })
    await affiliates(w, 'member', 'Capulet')
    await romeo.clears()
    await say(w, juliet, 'here')
    const her = romeo.inbox.at(-1)!.getChild('occupant-id')!.attrs.id
    juliet.sends(`<presence to='${ROOM}/Juliet' type='unavailable'/>`)
    await romeo.clears()
    const reference = (uri: string): string =>
      `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${uri}'/>`
    await say(w, romeo, 'by address', reference('juliet@capulet.example'))
    const second = await say(w, romeo, 'by her nick', reference(`${ROOM}/Capulet`))
    await say(w, romeo, 'by id', `<mention xmlns='urn:xmpp:mentions:0' occupantid='${her}'/>`)
    await say(w, romeo, 'of a stranger', reference('paris@verona.example'))
    await say(w, romeo, 'of himself', reference('romeo@capulet.example'))
    t.match((await inbox(juliet)).entries, [{ unread: 5, mentions: 3 }])
    t.match((await inbox(romeo)).entries, [{ mentions: 0 }])
    juliet.sends(
      `<message type='groupchat' to='${ROOM}'><displayed xmlns='urn:xmpp:chat-markers:0' id='${second}'/></message>`,
    )
    await w.settle()
    t.match(
      (await inbox(juliet)).entries,
      [{ unread: 3, mentions: 1 }],
      'refused by the room, noted here',
    )
    t.equal((await w.server.database.knex('room_mentions')).length, 1)
    await romeo.asks('set', ROOM, `<query xmlns='${NS_OWNER}'><destroy/></query>`)
    t.same(await w.server.database.knex('room_mentions'), [])
  })
}

test('rooms that do not last or keep nothing are in no inbox', async (t) => {
  const w = await roomsWorld(t, { modules: ['rooms', 'inbox'] })
  const { romeo } = w
  await opened(w, { Romeo: romeo })
  await say(w, romeo, 'one')
  t.same((await inbox(romeo)).entries, [])
})
