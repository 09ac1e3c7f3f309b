// Last Activity (XEP-0012).

import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import roster from '../../../modules/roster/roster.js'
import type { Client } from '../../world/client.js'
import { type World, world } from '../../world/world.js'

const JULIET = 'juliet@capulet.example'
const QUERY = "<query xmlns='jabber:iq:last'/>"

/** Romeo and Juliet see each other; the nurse sees nobody. */
async function friends(t: Parameters<typeof world>[0]): Promise<World> {
  const befriend = defineModule({
    name: 'befriend',
    summary: 'Lets two accounts see each other',
    requires: [roster],
    setup: (host) => ({
      commands: [
        {
          name: 'befriend',
          summary: 'Lets two accounts see each other',
          allow: 'admin' as const,
          parameters: {},
          async run() {
            const both = ['romeo', 'juliet'].map((name) => host.accounts!.lookup(name))
            const [one, other] = await Promise.all(both)
            await host.use(roster).setMutual(one!, other!)
            return {}
          },
        },
      ],
    }),
  })
  const people = ['romeo', 'juliet', 'nurse']
  const here = await world(t, { modules: ['last-activity', 'presence', befriend], people })
  await here.server.run(undefined, 'befriend', {})
  return here
}

const ask = (client: Client, to: string | undefined) => client.asks('get', to, QUERY)

test('an account that is away has been away for so long (XEP-0012 §3)', async (t) => {
  const { romeo, juliet, clock } = await friends(t)
  await juliet.comesOnline()
  juliet.sends("<presence type='unavailable'><status>Heading Home</status></presence>")
  await juliet.leaves()
  clock.advance(903_400)
  const answer = (await ask(romeo, JULIET)).getChild('query', 'jabber:iq:last')
  t.equal(answer?.attrs.seconds, '903')
  t.equal(answer?.text(), 'Heading Home')
})

test('an account with a connected resource was here just now (XEP-0012 §3)', async (t) => {
  const { romeo, juliet, device, clock } = await friends(t)
  const laptop = await device('juliet')
  clock.advance(60_000)
  await juliet.leaves()
  const answer = (await ask(romeo, JULIET)).getChild('query')
  t.equal(answer?.attrs.seconds, '0')
  t.equal(answer?.text(), '')
  await laptop.breaks()
  clock.advance(5_000)
  t.equal((await ask(romeo, JULIET)).getChild('query')?.attrs.seconds, '5')
})

test('strangers learn nothing, of the account or of its clients (XEP-0012 §3, §4, §8)', async (t) => {
  const { nurse, juliet } = await friends(t)
  for (const to of [JULIET, `${JULIET}/phone`, 'tybalt@capulet.example', `${JULIET}/none`]) {
    const answer = await ask(nurse, to)
    t.ok(answer.getChild('error')?.getChild('service-unavailable'), to)
  }
  await juliet.receivesNothing()
})

test('a client answers for itself to those who see it (XEP-0012 §4)', async (t) => {
  const { romeo, juliet } = await friends(t)
  romeo.sends(`<iq type='get' id='l1' to='${JULIET}/phone'>${QUERY}</iq>`)
  await juliet.receives(`<iq type='get' id='l1'>${QUERY}</iq>`)
  t.pass()
})

test('an account that was never here has no last activity', async (t) => {
  const { romeo, server } = await friends(t)
  const answer = await ask(romeo, undefined)
  t.equal(answer.getChild('query')?.attrs.seconds, '0', 'its own')
  await server.run(undefined, 'user add', {
    jid: 'tybalt@capulet.example',
    password: 'Rat-catcher 1',
  })
  const unknown = await ask(romeo, 'tybalt@capulet.example')
  t.ok(unknown.getChild('error')?.getChild('service-unavailable'))
})

test('the host tells how long it has been up (XEP-0012 §5)', async (t) => {
  const { romeo, clock } = await friends(t)
  clock.advance(123_456_000)
  const answer = (await ask(romeo, 'capulet.example')).getChild('query')
  t.equal(answer?.attrs.seconds, '123456')
})

test('LIM-last-status: what somebody says as they go is kept up to a bound', async (t) => {
  const { romeo, juliet } = await friends(t)
  juliet.sends(`<presence type='unavailable'><status>${'é'.repeat(2000)}</status></presence>`)
  await juliet.leaves()
  t.equal((await ask(romeo, JULIET)).getChild('query')?.text(), 'é'.repeat(1000))
})

test('nothing is left of an account that was removed', async (t) => {
  const { juliet, nurse, server } = await friends(t)
  await nurse.leaves()
  t.equal((await server.database.knex('last_seen')).length, 1)
  await server.run(undefined, 'user remove', { jids: [JULIET, 'nurse@capulet.example'] })
  await juliet.settle()
  t.same(await server.database.knex('last_seen'), [])
})
