// What becomes of an account in rooms when it is removed (SEC-28).

import { test } from 'tap'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN } from '../../world/world.js'
import { asks } from '../archive/archive-world.js'
import { NS_ADMIN, opened, ROOM, roomsWorld, says } from './rooms-world.js'

for (const nodes of [1, 2] as const)
  test(`SEC-28: an account that is removed belongs to no room any more, and what it said stays (${nodes} nodes)`, async (t) => {
    const database = nodes === 2 ? { database: await freshPostgres() } : {}
    const w = await roomsWorld(t, { nodes, spread: nodes === 2, ...database })
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet }, { fields: { persistentroom: '1' } })
    const lists = async (affiliation: string): Promise<string> => {
      const item = `<item affiliation='${affiliation}'/>`
      return `${await romeo.asks('get', ROOM, `<query xmlns='${NS_ADMIN}'>${item}</query>`)}`
    }
    const items = ['juliet', 'tybalt'].map(
      (name, at) =>
        `<item jid='${name}@${DOMAIN}' affiliation='${at === 0 ? 'admin' : 'outcast'}'/>`,
    )
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${items.join('')}</query>`)
    says(juliet, 'a word')
    await w.settle()
    t.match(await lists('admin'), 'juliet@')
    const jids = ['juliet', 'tybalt'].map((name) => `${name}@${DOMAIN}`)
    await w.server.run(DOMAIN, 'user remove', { jids })
    await w.settle()
    t.notMatch(await lists('admin'), 'juliet@')
    t.match(await lists('outcast'), 'tybalt@', 'bans stay')
    const rows = await w.server.database.knex('room_affiliations').select('jid')
    t.same(rows.map(({ jid }) => jid).sort(), [`romeo@${DOMAIN}`, `tybalt@${DOMAIN}`])
    t.same((await asks(romeo, { to: ROOM })).bodies, ['a word'])
  })

for (const nodes of [1, 2] as const)
  test(`SEC-28: it wears no hats any more, and its tokens let nobody in (${nodes} nodes)`, async (t) => {
    const database = nodes === 2 ? { database: await freshPostgres() } : {}
    const w = await roomsWorld(t, { nodes, spread: nodes === 2, ...database })
    const { romeo, juliet } = w
    const fields = { persistentroom: '1', membersonly: '1', allowinvites: '1' }
    await opened(w, { Romeo: romeo }, { fields })
    const member = `<item jid='juliet@${DOMAIN}' affiliation='member'/>`
    await romeo.asks('set', ROOM, `<query xmlns='${NS_ADMIN}'>${member}</query>`)
    const does = (name: string, values: Record<string, string>) => {
      const given = Object.entries(values).map(
        ([field, value]) => `<field var='hats#${field}'><value>${value}</value></field>`,
      )
      const form = `<x xmlns='jabber:x:data' type='submit'>${given.join('')}</x>`
      const node = `urn:xmpp:hats:commands:${name}`
      const xmlns = 'http://jabber.org/protocol/commands'
      return romeo.asks('set', ROOM, `<command xmlns='${xmlns}' node='${node}'>${form}</command>`)
    }
    await does('create', { title: 'Host', uri: 'urn:example:host' })
    for (const name of ['juliet', 'tybalt'])
      await does('assign', { jid: `${name}@${DOMAIN}`, uri: 'urn:example:host' })
    await juliet.asks('set', ROOM, "<request xmlns='urn:xmpp:muc-token-invite:0'/>")
    await w.server.run(DOMAIN, 'user remove', { jids: [`juliet@${DOMAIN}`, `tybalt@${DOMAIN}`] })
    await w.settle()
    t.same(await w.server.database.knex('room_hats_worn'), [])
    t.same(await w.server.database.knex('room_tokens'), [])
    t.notMatch(`${await does('list-assigned', {})}`, /juliet@|tybalt@/, 'where it is awake, too')
    const tokens = await romeo.asks('get', ROOM, "<tokens xmlns='urn:xmpp:muc-token-invite:0'/>")
    t.same(tokens.getChild('tokens')?.children, [])
  })
