// The whole server on PostgreSQL: what people do, with every module, on a database of its own.

import { scenario } from '../world/grounds.js'
import { DOMAIN, world } from '../world/world.js'
import { freshPostgres } from '../world/postgres.js'

scenario(
  'two people become contacts, see each other and chat, and it is there after a restart',
  async (t, ground) => {
    const given = await ground()
    const options = {
      ...given,
      database: given.database ?? (await freshPostgres()),
      modules: 'all',
    } as const
    const first = await world(t, options)
    const { romeo, juliet } = first
    await romeo.comesOnline()
    await juliet.comesOnline()
    romeo.sends(`<presence to='juliet@${DOMAIN}' type='subscribe'/>`)
    await juliet.finds("<presence type='subscribe'/>")
    juliet.sends(`<presence to='romeo@${DOMAIN}' type='subscribed'/>`)
    await romeo.finds("<presence type='subscribed'/>")
    await romeo.finds(`<presence from='${juliet.jid}'/>`)
    romeo.sends(`<message to='juliet@${DOMAIN}' type='chat'><body>🌹</body></message>`)
    await juliet.finds(`<message from='${romeo.jid}'><body>🌹</body></message>`)
    await romeo.asks(
      'set',
      undefined,
      "<query xmlns='jabber:iq:private'><notes xmlns='urn:example:notes'>a rose</notes></query>",
    )
    await first.close()

    const second = await world(t, { ...options, people: [] })
    for (const node of second.servers.keys()) {
      const again = await second.device('romeo', `device ${node}`, { node })
      const roster = await again.asks('get', undefined, "<query xmlns='jabber:iq:roster'/>")
      t.match(
        String(roster),
        new RegExp(
          `jid="juliet@${DOMAIN}"[^>]*subscription="to"|subscription="to"[^>]*jid="juliet@${DOMAIN}"`,
        ),
      )
      const kept = await again.asks(
        'get',
        undefined,
        "<query xmlns='jabber:iq:private'><notes xmlns='urn:example:notes'/></query>",
      )
      t.match(String(kept), /a rose/)
      await again.asks('set', undefined, "<query xmlns='urn:xmpp:mam:2'/>")
      await again.finds(
        "<message><result xmlns='urn:xmpp:mam:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'><body>🌹</body></message></forwarded></result></message>",
      )
    }
  },
)
