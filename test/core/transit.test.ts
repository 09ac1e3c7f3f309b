// What a stanza leaves behind: one transaction for both sides, and what it causes only afterwards.

import { test } from 'tap'
import type { Keeper } from '../../lib/core/keeper.js'
import { defineModule } from '../../lib/core/module.js'
import type { PhaseHandlers } from '../../lib/core/pipeline.js'
import type { Session } from '../../lib/core/session.js'
import { Transit } from '../../lib/core/transit.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { DOMAIN, world } from '../world/world.js'

const to = `juliet@${DOMAIN}/phone`

/** A module with hooks for messages, said what happens in which order. */
function hooks(sent: PhaseHandlers, received: PhaseHandlers = {}) {
  return defineModule({
    name: 'watched',
    summary: 'Writes and watches',
    setup: () => ({ hooks: { 'message:sent': sent, 'message:received': received } }),
  })
}

test('both sides write to one entry: what one of them cannot write, neither has', async (t) => {
  const said: string[] = []
  const both = hooks(
    {
      record(_envelope, { entry }) {
        said.push('sent')
        entry.write(async () => void said.push('sent is written'))
      },
    },
    {
      record(_envelope, { entry }) {
        said.push('received')
        entry.write(async () => void said.push('received is written'))
      },
      deliver: () => void said.push('delivered'),
    },
  )
  const { romeo, juliet, server } = await world(t, { modules: [both] })
  let groups = 0
  const { commit } = server.journal
  server.journal.commit = (entry) => {
    groups++
    return commit.call(server.journal, entry)
  }
  romeo.sends(`<message to='${to}' id='1'/>`)
  await juliet.receives("<message id='1'/>")
  t.same(said, ['sent', 'received', 'sent is written', 'received is written', 'delivered'])
  t.equal(groups, 1)
})

test('where nothing is written nothing waits for the disk', async (t) => {
  const order: string[] = []
  const quiet = hooks({ record: () => void order.push('record') })
  const { romeo, juliet, server } = await world(t, { modules: [quiet] })
  server.journal.commit = () => t.fail('nothing to commit') as never
  romeo.sends(`<message to='${to}' id='1'/>`)
  t.equal(juliet.inbox.length, 1, 'within the same call')
  t.same(order, ['record'])
})

test('what a stanza causes happens after its commit and before it is delivered', async (t) => {
  const said: string[] = []
  const causes = hooks(
    {
      record(_envelope, passage) {
        passage.after(() => void said.push('effect'))
        passage.after(() => {
          throw new Error('an effect that breaks')
        })
        passage.after(() => void said.push('effect after it'))
        passage.entry.write(async () => void said.push('written'))
      },
    },
    { deliver: () => void said.push('delivered') },
  )
  const { romeo, juliet, log } = await world(t, { modules: [causes], mayFail: true })
  romeo.sends(`<message to='${to}' id='1'/>`)
  await juliet.receives("<message id='1'/>")
  t.same(said, ['written', 'effect', 'effect after it', 'delivered'])
  t.equal(log.filter((line) => line.includes('an effect that breaks')).length, 1)
})

test('where the commit fails nothing is caused, nothing delivered, and the sender hears it', async (t) => {
  const said: string[] = []
  const fails = hooks(
    {
      record(_envelope, passage) {
        passage.after(() => void said.push('effect'))
        passage.entry.write(() => Promise.reject(new StanzaError('resource-constraint')))
      },
    },
    {
      deliver: ({ stanza }) => void said.push(`delivered ${stanza.type}`),
      copy: ({ stanza }) => void said.push(`copied ${stanza.type}`),
    },
  )
  const { romeo, juliet } = await world(t, { modules: [fails] })
  romeo.sends(`<message to='${to}' id='1'/>`)
  await romeo.receives(
    "<message type='error' id='1'><error><resource-constraint/></error></message>",
  )
  await juliet.receivesNothing()
  t.same(said.sort(), ['copied error', 'delivered error'], 'the error alone')
})

test('who refuses after another has written keeps the writing from the disk', async (t) => {
  const said: string[] = []
  const refuses = hooks(
    {
      record: (_envelope, passage) => {
        passage.after(() => void said.push('effect'))
        passage.entry.write(async () => void said.push('written'))
      },
    },
    {
      admit({ stanza }) {
        if (stanza.type !== 'error') throw new StanzaError('not-acceptable')
      },
    },
  )
  const { romeo } = await world(t, { modules: [refuses] })
  romeo.sends(`<message to='${to}' id='1'/>`)
  await romeo.receives("<message type='error' id='1'><error><not-acceptable/></error></message>")
  t.same(said, [])
})

test('copies are made after the delivery and know who got the original, on both sides', async (t) => {
  const said: string[] = []
  const copies = hooks(
    {
      copy: (_envelope, { account, delivered }) =>
        void said.push(`sent ${account} ${delivered.join()}`),
    },
    {
      copy: (_envelope, { account, delivered }) =>
        void said.push(`received ${account} ${delivered.join()}`),
    },
  )
  const { romeo, juliet } = await world(t, { modules: [copies] })
  romeo.sends(`<message to='${to}' id='1'/>`)
  await juliet.receives("<message id='1'/>")
  t.same(said.sort(), [`received juliet@${DOMAIN} ${to}`, `sent romeo@${DOMAIN} ${to}`])
})

test('what waits for the answer happens when the answer has left', async (t) => {
  const w = await world(t)
  const said: string[] = []
  const transit = new Transit(w.server.hosts.get(DOMAIN)!, undefined)
  transit.after(() => void said.push('after'))
  transit.afterAnswer(() => void said.push('after the answer'))
  t.equal(transit.commit(), undefined)
  t.same(said, ['after'])
  transit.answered()
  transit.answered()
  t.same(said, ['after', 'after the answer'])
})

test('what is on disk together goes on in order, whatever each stanza leaves behind (RFC 6120 §10.1)', async (t) => {
  const mixed = hooks({
    record({ stanza }, passage) {
      if (stanza.id.includes('w')) passage.entry.write(async () => {})
      if (stanza.id.includes('e')) passage.after(() => {})
    },
  })
  const { romeo, juliet } = await world(t, { modules: [mixed] })
  const ids = ['w1', 'we2', '3', 'w4', '5', 'e6', 'w7']
  for (const id of ids) romeo.sends(`<message to='${to}' id='${id}'/>`)
  await romeo.settle()
  t.same(
    juliet.inbox.map(({ attrs }) => attrs.id),
    ids,
  )
})

test('no count is on disk before whoever sent what failed was told (XEP-0198 §4)', async (t) => {
  let frozen = false
  const fails = hooks({
    record({ stanza }, passage) {
      passage.entry.write(async () => {
        if (stanza.id === '2') throw new StanzaError('service-unavailable')
      })
      // As if the server ended here: what is committed so far is on disk, and nothing else.
      if (stanza.id === '3') passage.after(() => void (frozen = true))
    },
  })
  const { romeo, server, clock } = await world(t, { modules: [fails] })
  const { knex } = server.database
  await knex.schema.createTable('tally', (table) => {
    table.string('who').primary()
    table.bigInteger('count').notNullable()
  })
  const counted = async (): Promise<number> => (await knex('tally').first()).count
  const { journal } = server
  const { commit } = journal
  journal.commit = (entry) =>
    frozen ? Promise.reject(new StanzaError('resource-constraint')) : commit.call(journal, entry)
  const [session] = server.hosts.get(DOMAIN)!.sessions.of(Jid.parse(`romeo@${DOMAIN}`))
  session!.keep(counting(session!), 0)
  for (const id of ['1', '2', '3']) romeo.sends(`<message to='${to}' id='${id}'/>`)
  await romeo.receives(
    "<message type='error' id='2'><error><service-unavailable/></error></message>",
  )
  await journal.idle()
  t.ok(frozen, 'the third is stored')
  t.ok((await counted()) < 3)
  frozen = false
  clock.advance(1000)
  await journal.idle()
  t.equal(await counted(), 3)
})

function counting(session: Session): Keeper {
  return {
    mark: (count) => ({ table: 'tally', row: { who: 'romeo', count } }),
    committed: () => {},
    told: () => false,
    owed: () => [],
    write: (envelope) => session.send(envelope),
    room: () => true,
    caughtUp: () => {},
    full: false,
    lingers: () => false,
    changed: () => {},
    ended: () => {},
    moved: () => undefined,
  }
}
