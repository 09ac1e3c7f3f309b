// Which node a device is sent to, whose life has ended, and how long it took until those who were thrown
// out are back and reached.

import { test } from 'tap'
import type { Event, Way } from './chronicle.js'
import { Doors } from './doors.js'
import { Draw } from './draw.js'
import { arrivalsDuring, returnsOf } from './returns.js'
import { Whereabouts } from './whereabouts.js'

test('devices come in through any open door, and through none that is shut', async (t) => {
  const doors = new Doors(new Draw(1), 3)
  const chosen = () => new Set(Array.from({ length: 100 }, () => doors.choose().node))
  t.same([...chosen()].sort(), [0, 1, 2])
  doors.shut(1)
  t.same([...chosen()].sort(), [0, 2])
  doors.shut(0)
  doors.shut(2)
  t.same([...chosen()].sort(), [0, 1, 2], 'where all are shut, they are refused somewhere')
  doors.unlock(2)
  t.same([...chosen()], [2])
})

test('with one node nothing is drawn: its runs are as they were before there were several', async (t) => {
  const draw = new Draw(7)
  const doors = new Doors(draw, 1)
  doors.choose()
  doors.shut(0)
  doors.choose()
  t.equal(draw.share(), new Draw(7).share())
})

test('a device that comes back knows whether the life where it was has ended', async (t) => {
  const doors = new Doors(new Draw(1), 2)
  const device = new Whereabouts(doors)
  const enters = (node: number) => {
    device.dials({ node, life: doors.lifeOf(node) })
    return device.enters()
  }
  t.equal(enters(0), false, 'the first time')
  t.equal(enters(1), false, 'another node, and the one before runs on')
  doors.ended(0)
  t.equal(enters(1), false)
  doors.ended(1)
  t.equal(enters(0), true, 'it was on the one that ended')
  device.dials({ node: 0, life: doors.lifeOf(0) })
  doors.ended(0)
  t.equal(device.enters(), false, 'it came in before that end')
  t.equal(enters(0), true)
  t.equal(device.ends, 2)
})

class Story {
  readonly events: Event[] = []

  fault(t: number, ...hit: string[]) {
    this.events.push({ op: 'fault', inFlight: 0, hit, t })
    return this
  }

  healed(t: number, ...hit: string[]) {
    this.events.push({ op: 'healed', hit, t })
    return this
  }

  enter(t: number, device = 'phone') {
    this.events.push({ op: 'enter', device, how: 'resumed', crashed: true, node: 0, t })
    return this
  }

  send(t: number, mid: string, again: false | 'counted' = false) {
    const from = { device: 'laptop', from: 'juliet@localhost', to: 'romeo@localhost' }
    this.events.push({ op: 'send', mid, ...from, stream: 'j#1', position: 1, again, t })
    return this
  }

  recv(t: number, mid: string, via: Way = 'live') {
    const where = { device: 'phone', stream: 'r#1', boot: 0 }
    this.events.push({ op: 'recv', mid, ...where, via, stanzaId: mid, sound: true, t })
    return this
  }
}

test('whom a fault threw out is back when it comes in, and reached by a message from after the fault', async (t) => {
  const story = new Story().send(1, 'm1').fault(2, 'phone').send(3, 'm2').enter(5)
  story.recv(6, 'm1').send(7, 'm1', 'counted').recv(8, 'm1').recv(9, 'm2')
  t.same(returnsOf(story.events), { back: [3], reachable: [7], notReached: 0 })
})

test('what a device reads in the archive does not reach it', async (t) => {
  const story = new Story().fault(1, 'phone').send(2, 'm1').enter(3).recv(4, 'm1', 'archive')
  t.same(returnsOf(story.events), { back: [2], reachable: [], notReached: 1 })
})

test('who is thrown out again while it waits begins anew', async (t) => {
  const story = new Story().fault(1, 'phone').fault(4, 'phone').send(5, 'm1').enter(6).recv(7, 'm1')
  t.same(returnsOf(story.events), { back: [2], reachable: [3], notReached: 0 })
})

test('after a healing everybody must be reached, and nobody needs to come in anew', async (t) => {
  const story = new Story().fault(1).healed(3, 'phone').send(4, 'm1').recv(6, 'm1').enter(8)
  t.same(returnsOf(story.events), { back: [], reachable: [3], notReached: 0 })
})

test('messages count as under way during a fault that were sent before its end and arrived after its beginning', async (t) => {
  const story = new Story().send(1, 'before').recv(2, 'before').send(3, 'into').fault(4)
  story.recv(5, 'into').recv(6, 'into').send(7, 'out').healed(8).recv(11, 'out')
  t.same(arrivalsDuring(story.send(12, 'after').recv(20, 'after').events), [2, 4])
})
