// The archive as clients see it (XEP-0313, XEP-0359), on both stores.

import { test, type Test } from 'tap'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World, type WorldOptions } from '../../world/world.js'
import { asks, chat, JULIET, NS_ARCHIVE, NS_SID, ROMEO, says } from './archive-world.js'

const kinds: Record<string, () => Promise<string | undefined>> = {
  SQLite: async () => undefined,
  PostgreSQL: freshPostgres,
}

for (const [kind, fresh] of Object.entries(kinds)) {
  async function archive(t: Test, options: WorldOptions = {}): Promise<World> {
    const database = await fresh()
    return world(t, { modules: ['archive'], ...(database ? { database } : {}), ...options })
  }

  test(`${kind}: what was said is in both archives, in order (XEP-0313 §3.1, §4.2)`, async (t) => {
    const { romeo, juliet, clock } = await archive(t)
    romeo.sends(chat(juliet.jid, 'one'))
    await romeo.settle()
    clock.advance(1500)
    juliet.sends(chat(romeo.jid, 'two é 💌 &lt;&amp;&apos;'))
    await juliet.settle()
    for (const client of [romeo, juliet]) {
      const { results, complete, first, last, iq } = await asks(client, { queryId: 'q&apos;&lt;1' })
      t.same(
        results.map(({ body }) => body),
        ['one', "two é 💌 <&'"],
      )
      t.ok(complete)
      t.same([first, last], [results[0]!.id, results[1]!.id])
      t.equal(iq.attrs.type, 'result')
      t.equal(results[0]!.carrier.attrs.from, client.account, 'from the archive’s address')
      t.equal(results[0]!.carrier.attrs.to, client.jid)
      t.equal(results[0]!.carrier.getChild('result')!.attrs.queryid, "q'<1")
      t.match(results[0]!.message.attrs, { from: romeo.jid, to: juliet.jid, type: 'chat' })
      t.equal(results[0]!.stamp, '2026-01-01T00:00:00.000Z')
      t.equal(results[1]!.stamp, '2026-01-01T00:00:01.500Z')
    }
  })

  test(`${kind}: the message that arrives says what the archive calls it (XEP-0313 §3.5)`, async (t) => {
    const { romeo, juliet } = await archive(t)
    romeo.sends(chat(juliet.jid, 'one'))
    const message = await juliet.receives('<message><body>one</body></message>')
    const ids = message.getChildren('stanza-id', NS_SID)
    const { results } = await asks(juliet)
    t.same(
      ids.map(({ attrs }) => [attrs.by, attrs.id]),
      [[JULIET, results[0]!.id]],
    )
    t.equal(results[0]!.message.getChildren('stanza-id', NS_SID).length, 0)
  })
}
