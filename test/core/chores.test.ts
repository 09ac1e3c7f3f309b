// What the server does by itself, whatever modules it has.

import { test } from 'tap'
import { LoggedMessage, KEPT } from '../../lib/storage/logged-message.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { world } from '../world/world.js'

const HOUR = 3_600_000

test('keys of sent messages go also where nothing keeps messages', async (t) => {
  const { server, clock } = await world(t, { loggedIn: false })
  const { journal, database } = server
  const [from, to] = [Jid.parse('romeo@capulet.example'), Jid.parse('tybalt@capulet.example')]
  const says = async (key: string): Promise<void> => {
    const entry = journal.entry()
    entry.message = new LoggedMessage({ from, to, text: key, label: 0, key, author: 1 })
    entry.message.sender = { owner: 1, flags: KEPT }
    await journal.commit(entry)
  }
  await says('old')
  clock.advance(48 * HOUR)
  await server.settled()
  await says('new')
  clock.advance(HOUR)
  await server.settled()
  t.strictSame(await database.knex('message_keys').pluck('key'), ['new'])
})
