// The rows about rooms: which share a start, what each is compared with; and how a talk counts what it hears.

import { test } from 'tap'
import type { Connection } from '../../bench/generator/connection.js'
import type { Crowd } from '../../bench/generator/crowd.js'
import { type RoomPlan, RoomTalk } from '../../bench/generator/room.js'
import { groupsOf } from '../../bench/groups.js'
import { readOptions } from '../../bench/options.js'
import { ejabberd } from '../../bench/peers/ejabberd.js'
import { prosody } from '../../bench/peers/prosody.js'
import { tercet } from '../../bench/peers/tercet.js'
import { rooms } from '../../bench/room-works.js'

const rows = rooms(readOptions([]))

test('rows about rooms have rooms, and each is compared with one that there is', (t) => {
  for (const { rooms: has, against } of rows) {
    t.ok(has)
    if (against) t.ok(rows.some(({ title }) => title === against))
  }
  for (const group of groupsOf(rows)) {
    t.ok(group.rooms)
    for (const work of group.works) {
      t.equal(work.archive, group.archive)
      t.ok(group.accounts >= work.plan.users)
    }
  }
  t.end()
})

test('what is archived says so, what is not does not', (t) => {
  for (const { plan, archive } of rows) if (plan.kind === 'room') t.equal(plan.kept, archive)
  t.end()
})

test('every server says where its rooms are', (t) => {
  const setting = { archive: false, store: 'own' } as const
  for (const peer of [prosody, ejabberd, tercet])
    t.match(peer.room?.(setting).service, /^[a-z]+\.localhost$/, peer.name)
  const kept = tercet.room?.({ ...setting, archive: true }).form
  t.same(kept, { 'muc#roomconfig_enablearchiving': '1' })
  t.end()
})

const plan: RoomPlan = {
  ...{ kind: 'room', users: 3, inFlight: 1, bodyBytes: 10, rate: 0, stalled: 1, kept: false },
  ...{ warmUpSeconds: 0, seconds: 1 },
}

class Seat {
  readonly said: string[] = []
  paused = false
  receiver: unknown
  readonly index: number

  constructor(index: number) {
    this.index = index
  }

  write(text: string): void {
    this.said.push(text)
  }

  pause(): void {
    this.paused = true
  }
}

function talkOf(seats: readonly Seat[]) {
  const failures: string[] = []
  const live = (): Connection[] => seats as unknown as Connection[]
  const crowd = { live, count: (why: string) => failures.push(why) } as unknown as Crowd
  const talk = new RoomTalk(plan, crowd, 'orchard@rooms.localhost')
  return { talk, failures }
}

/** As a room would send it on */
function hears(talk: RoomTalk, seat: Seat, text: string, more = ''): void {
  const bytes = Buffer.from(`${text.slice(0, -'</message>'.length)}${more}</message>`)
  talk.stanza(seat as unknown as Connection, bytes, 0, bytes.length)
  talk.drained()
}

test('the next one speaks when a speaker hears itself; every delivery counts', (t) => {
  const seats = [new Seat(0), new Seat(1), new Seat(2)]
  const { talk, failures } = talkOf(seats)
  const stop = talk.begin()
  t.same(
    seats.map(({ paused }) => paused),
    [false, false, true],
  )
  talk.measuring = true
  const speaker = seats.find(({ said }) => said.length > 0)!
  const [text] = speaker.said as [string]
  for (const seat of seats) if (seat !== speaker) hears(talk, seat, text)
  t.equal(seats.flatMap(({ said }) => said).length, 1, 'others hear it')
  hears(talk, speaker, text, "<stanza-id xmlns='urn:xmpp:sid:0' by='a' id='1'/>")
  t.equal(seats.flatMap(({ said }) => said).length, 2, 'its speaker hears it')
  t.equal(talk.delivered, 3)
  t.ok(talk.hasIds)
  t.equal(seats[2]!.said.length, 0, 'who does not read says nothing')
  talk.lost(seats[2] as unknown as Connection, 'it did not read')
  t.equal(talk.cutOff, 1)
  t.same(failures, [])
  talk.lost(seats[0] as unknown as Connection, 'gone')
  t.equal(failures.length, 1)
  stop()
  t.end()
})
