// Carbon copies for sessions that are away for a while (XEP-0280, XEP-0198 §5): a copy is owed like the
// message itself, and comes from the log like it.

import { type Test, test } from 'tap'
import { freshPostgres } from '../../world/postgres.js'
import type { WorldOptions } from '../../world/world.js'
import { enable, handled, resumes, SM } from '../stream-management/sm-world.js'
import { copyIn, type Devices, devices, JULIET, ROMEO, says, seen, wantsCopies } from './devices.js'

const modules = ['carbons', 'presence', 'archive', 'stream-management', 'offline-messages']

/** The laptop's session may be resumed. */
async function kept(t: Test, options: WorldOptions = {}): Promise<Devices & { id: string }> {
  const w = await devices(t, { modules, ...options })
  const id = await enable(w.laptop)
  return Object.assign(w, { id })
}

/** One of each kind, from devices that know nothing of the laptop. */
function talk({ orchard, phone }: Pick<Devices, 'orchard' | 'phone'>, number: number): void {
  says(phone, `from the phone ${number}`, { to: ROMEO })
  says(orchard, `to the phone ${number}`, { to: phone.jid })
  says(orchard, `to all ${number}`, { to: JULIET })
}

function talkSeen(number: number): string[] {
  return [`sent from the phone ${number}`, `received to the phone ${number}`, `to all ${number}`]
}

test('a session that is away has the copies when it is back, in order and once (XEP-0198 §5)', async (t) => {
  const w = await kept(t)
  await w.laptop.breaks()
  for (const number of [1, 2]) {
    talk(w, number)
    await w.settle()
  }
  const back = await resumes(w, 'juliet', { id: w.id, h: 0 })
  t.same(await seen(back), [...talkSeen(1), ...talkSeen(2)])
  talk(w, 3)
  t.same(await seen(back), talkSeen(3), 'it wants copies as before')
  await back.breaks()
  const again = await resumes(w, 'juliet', { id: w.id, h: 6 })
  t.same(await seen(again), talkSeen(3))
})

for (const [name, database] of [
  ['SQLite', async () => 'sqlite'],
  ['PostgreSQL', freshPostgres],
] as const) {
  test(`copies survive the end of the server, and so does the wish for them (${name})`, async (t) => {
    const w = await kept(t, { database: await database() })
    talk(w, 1)
    t.same(await seen(w.laptop), talkSeen(1))
    w.laptop.sends(`<a ${SM} h='2'/>`)
    await handled(w.laptop)
    w.clock.advance(5000)
    await w.settle()
    await w.restart({ kill: true })
    const orchard = await (await w.device('romeo', 'orchard')).comesOnline()
    const phone = await (await w.device('juliet', 'phone')).comesOnline()
    await w.settle()
    talk({ orchard, phone }, 2)
    await w.settle()
    const back = await resumes(w, 'juliet', { id: w.id, h: 2 })
    await back.settle()
    const copies = back.inbox.flatMap((element) => copyIn(element) ?? [])
    const delays = copies.map(({ message }) => message.parent?.getChild('delay', 'urn:xmpp:delay'))
    t.ok(
      delays.every((delay) => delay !== undefined),
      'XEP-0297 §3.2',
    )
    const labels = copies.map(({ message }) => message.getChild('stanza-id')?.attrs.by)
    t.same(labels, [JULIET, JULIET])
    t.same(await seen(back), ['to all 1', ...talkSeen(2)])
    talk({ orchard, phone }, 3)
    t.same(await seen(back), talkSeen(3))
  })
}

test('what a session sent itself it is not shown as a copy', async (t) => {
  const w = await kept(t, { database: 'sqlite' })
  says(w.phone, 'hers', { to: ROMEO })
  await w.settle()
  says(w.laptop, 'mine', { to: ROMEO })
  await w.settle()
  await w.restart({ kill: true })
  const back = await resumes(w, 'juliet', { id: w.id, h: 0 })
  t.same(await seen(back), ['sent hers'])
})

test('who wants no copies gets none from the log either', async (t) => {
  const w = await kept(t)
  await wantsCopies(w.laptop, false)
  await w.laptop.breaks()
  talk(w, 1)
  await w.settle()
  const back = await resumes(w, 'juliet', { id: w.id, h: 1 })
  t.same(await seen(back), ['to all 1'])
})

test('a session that takes less than it is sent comes to all copies, in order and once (LIM-sm-queue)', async (t) => {
  const w = await kept(t, { options: { 'stream-management': { queue: 20 } } })
  const wanted: string[] = []
  for (let number = 1; number <= 30; number++) {
    talk(w, number)
    wanted.push(...talkSeen(number))
    await w.settle()
  }
  const came = await seen(w.laptop)
  t.ok(came.length < wanted.length)
  for (let h = came.length; came.length < wanted.length; h = came.length) {
    w.laptop.sends(`<a ${SM} h='${h}'/>`)
    const more = await seen(w.laptop)
    if (more.length === 0) break
    came.push(...more)
  }
  t.same(came, wanted)
})

test('a device that comes while others talk has what they say from then on, once', async (t) => {
  const w = await devices(t, { modules })
  talk(w, 1)
  await w.laptop.clears()
  w.laptop.sends("<presence type='unavailable'/>")
  await w.laptop.clears()
  says(w.phone, 'one', { to: ROMEO })
  w.laptop.sends('<presence/>')
  says(w.phone, 'two', { to: ROMEO })
  says(w.orchard, 'three', { to: w.phone.jid })
  t.same(await seen(w.laptop), ['sent one', 'sent two', 'received three'])
})
