// Commands of administration for rooms, whatever node they run on.

import { test } from 'tap'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, type World, type WorldOptions } from '../../world/world.js'
import { codes, enters, item, NS_ADMIN, NS_USER, opened, ROOM, roomsWorld } from './rooms-world.js'

type Args = Record<string, unknown>

for (const nodes of [1, 2] as const) {
  const where = nodes === 1 ? 'one node' : 'two nodes'
  const options = async (): Promise<WorldOptions> =>
    nodes === 1 ? {} : { nodes, spread: true, database: await freshPostgres() }
  /** On every node alike, also on one that does not own the room */
  const runner = (w: World) => (name: string, args: Args, node: number) =>
    w.servers[node % nodes]!.run(DOMAIN, name, args)

  for (const node of nodes === 1 ? [0] : [0, 1]) {
    test(`a room is made, shown, changed and destroyed by command (${where}, run on ${node})`, async (t) => {
      const w = await roomsWorld(t, await options())
      const { juliet } = w
      const run = runner(w)
      const made = { room: 'orchard', owner: w.romeo.account, name: 'Orchard', members_only: true }
      await run('room create', made, node)
      await t.rejects(run('room create', made, node + 1), /conflict/)
      const { rows: list } = await run('room list', {}, node)
      t.match(list, [{ jid: ROOM, name: 'Orchard', hidden: true, persistent: true }])

      await enters(juliet, 'Juliet')
      await juliet.clears()
      const member = { room: ROOM, jid: juliet.account, affiliation: 'member', nick: 'Rose' }
      await run('room affiliation', member, node)
      await enters(juliet, 'Rose')
      const self = await juliet.finds(`<presence from='${ROOM}/Rose'/>`)
      t.equal(item(self).affiliation, 'member')
      await juliet.clears()

      await run('room set', { room: ROOM, setting: 'who_may_whisper', value: 'none' }, node)
      const changed = await juliet.finds(`<message from='${ROOM}'/>`)
      t.same(codes(changed), ['104'], 'who is in it hears of it (XEP-0045 §10.2.1)')
      await t.rejects(
        run('room set', { room: ROOM, setting: 'who_may_whisper', value: 'kings' }, node),
        /not-acceptable/,
      )
      const { rows } = await run('room show', { room: 'orchard' }, node)
      t.match(rows, [
        {
          ...{ jid: ROOM, name: 'Orchard', members_only: true, public: false },
          ...{ who_may_whisper: 'none', owners: [w.romeo.account], members: 1, locked: false },
          occupants: [`Rose (${juliet.account})`],
        },
      ])
      const last = { room: ROOM, jid: w.romeo.account, affiliation: 'none' }
      await t.rejects(run('room affiliation', last, node), /conflict/, '§10.4')

      const ending = { room: ROOM, reason: 'Winter', alternative: 'hall@rooms.capulet.example' }
      await run('room destroy', ending, node)
      const gone = await juliet.finds(`<presence from='${ROOM}/Rose' type='unavailable'/>`)
      const destroy = gone.getChild('x', NS_USER)?.getChild('destroy')
      t.equal(destroy?.attrs.jid, ending.alternative, '§10.9')
      t.equal(destroy?.getChildText('reason'), 'Winter')
      await t.rejects(run('room show', { room: ROOM }, node), /item-not-found/)
      t.same((await run('room list', {}, node)).rows, [])
    })
  }

  test(`only rooms of the service are reached, and administrators alone do it (${where})`, async (t) => {
    const w = await roomsWorld(t, await options())
    const { romeo, juliet } = w
    await opened(w, { Romeo: romeo, Juliet: juliet })
    const run = runner(w)
    const elsewhere = { room: 'orchard@rooms.montague.example' }
    await t.rejects(run('room show', elsewhere, 0), /item-not-found/)
    const ban = { room: ROOM, jid: juliet.account, affiliation: 'outcast', reason: 'Treason' }
    await run('room affiliation', ban, 0)
    const out = await juliet.finds(`<presence from='${ROOM}/Juliet' type='unavailable'/>`)
    t.ok(codes(out).includes('301'))
    const banned = `<query xmlns='${NS_ADMIN}'><item affiliation='outcast'/></query>`
    const list = await romeo.asks('get', ROOM, banned)
    t.equal(list.getChild('query')?.getChild('item')?.getChildText('reason'), 'Treason')
    const names = [...w.server.hosts.get(DOMAIN)!.offered('commands')].flatMap(({ offer }) => offer)
    const ours = names.filter(({ name }) => name.startsWith('room '))
    t.same(new Set(ours.map(({ allow }) => allow)), new Set(['admin']))
  })
}
