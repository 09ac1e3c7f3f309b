// Removing an account that has much in the message log.

import { test } from 'tap'
import { KEPT, LoggedMessage, OUTGOING } from '../../../lib/storage/logged-message.js'
import { Jid } from '../../../lib/xmpp/jid.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { DOMAIN, world } from '../../world/world.js'

const ROMEO = `romeo@${DOMAIN}`

test('much that an account wrote goes in steps; what failed halfway goes on from there', async (t) => {
  const w = await world(t, { mayFail: true })
  const { messages, journal, database } = w.server
  const host = w.server.hosts.get(DOMAIN)!
  const accounts = host.modules.get('accounts')!.offers.provides as AccountsApi
  const { number } = await accounts.existing('romeo')
  await Promise.all(
    Array.from({ length: 2500 }, (_, at) => {
      const entry = journal.entry()
      entry.message = noteOf(number, `${at}`)
      return journal.commit(entry)
    }),
  )
  let steps = 0
  const unwatch = messages.watch(async () => {
    if (++steps === 2) throw new Error('not now')
  })
  const left = () => database.knex('messages').where({ sender: number }).pluck('text')
  await accounts.remove('romeo')
  t.equal((await left()).length, 1500, 'the first step is on disk')
  t.equal((await database.knex('account_removals').select()).length, 1)
  t.same(await database.knex('account_removal_steps').select(), [])
  unwatch()
  await host.events.emit('host:ready', { domain: DOMAIN })
  t.same(await left(), [])
  t.same(await database.knex('account_removals').select(), [])
})

function noteOf(owner: number, text: string): LoggedMessage {
  const [from, to] = [Jid.parse(ROMEO), Jid.parse('tybalt@capulet.elsewhere')]
  const note = new LoggedMessage({ from, to, text, label: 0, key: '', author: owner })
  note.sender = { owner, flags: KEPT | OUTGOING }
  return note
}
