// The checker itself: a correct history passes, and for each invariant a history that violates just
// that one is found out.

import { test } from 'tap'
import type { Event, Row, Way } from './chronicle.js'
import { check } from './checker.js'
import { brokenInvariants, type FigureName } from './figures.js'

const romeo = 'romeo@localhost'
const juliet = 'juliet@localhost'

/** Three messages from Romeo's phone to Juliet's laptop, the server killed after the second. */
class Story {
  events: Event[] = []
  romeos: Row[] = []
  juliets: Row[] = []
  boot = 1
  settled = true
  #t = 0

  send(mid: string, position: number, more: { stream?: string; again?: 'counted' } = {}) {
    const { stream = 'r#1', again = false } = more
    const place = { device: 'phone', from: romeo, to: juliet, stream, position }
    this.events.push({ op: 'send', mid, ...place, again, t: this.#t++ })
    return this
  }

  ack(h: number, { by = 'a' as const, stream = 'r#1', sent = h } = {}) {
    this.events.push({ op: 'ack', stream, h, by, sent, t: this.#t++ })
    return this
  }

  report(by: 'resumed' | 'failed', h: number, sent = h) {
    this.events.push({ op: 'ack', stream: 'r#1', h, by, sent, t: this.#t++ })
    return this
  }

  err(mid: string) {
    this.events.push({ op: 'err', mid, condition: 'resource-constraint', t: this.#t++ })
    return this
  }

  recv(mid: string, more: { via?: Way; id?: string; stream?: string; sound?: boolean } = {}) {
    const { via = 'live', id = `j-${mid}`, stream = 'j#1', sound = true } = more
    const { boot } = this
    const what = { mid, device: 'laptop', stream, via, stanzaId: id, boot, sound }
    this.events.push({ op: 'recv', ...what, t: this.#t++ })
    return this
  }

  enter(how: 'resumed' | 'refused' | 'uncounted' | 'fresh', crashed = true) {
    this.events.push({ op: 'enter', device: 'phone', how, crashed, node: 0, t: this.#t++ })
    return this
  }

  kill(inFlight = 1) {
    this.boot++
    this.events.push({ op: 'fault', inFlight, hit: [], t: this.#t++ })
    return this
  }

  keep(...mids: string[]) {
    for (const mid of mids) {
      this.romeos.push({ id: `r-${mid}`, mid, from: romeo, to: juliet, sound: true })
      this.juliets.push({ id: `j-${mid}`, mid, from: romeo, to: juliet, sound: true })
    }
    return this
  }

  figures() {
    const { settled } = this
    return check({
      events: this.events,
      archives: new Map([
        [romeo, this.romeos],
        [juliet, this.juliets],
      ]),
      devices: [
        { name: 'phone', owner: romeo, settled: true },
        { name: 'laptop', owner: juliet, settled },
      ],
    })
  }
}

const correct = () =>
  new Story()
    .send('m1', 1)
    .ack(1)
    .recv('m1')
    .send('m2', 2)
    .send('m3', 3)
    .kill(2)
    .enter('resumed')
    .report('resumed', 2, 3)
    .send('m3', 3, { again: 'counted' })
    .recv('m2', { via: 'late' })
    .ack(3)
    .recv('m3')
    .keep('m1', 'm2', 'm3')

test('a correct history passes, and is counted', async (t) => {
  const figures = correct().figures()
  t.same(brokenInvariants(figures), [])
  t.match(figures, { sent: 3, sentAgain: 1, acknowledged: 3, refused: 0, unknown: 0 })
  t.match(figures, { faults: 1, inFlight: 2, resumed: 1, outageMax: 0 })
})

test('an outage ends with the acknowledgement of a message that was sent after the fault', async (t) => {
  const story = new Story().send('m1', 1).kill().report('resumed', 1, 1)
  const figures = story.send('m2', 2).recv('m1').recv('m2').ack(2).keep('m1', 'm2').figures()
  t.same(brokenInvariants(figures), [])
  t.match(figures, { faults: 1, outageMax: 5 })
})

test('a message that was sent twice on a stream after a crash is only counted: dedupe by stanza-id removes it', async (t) => {
  const story = correct()
  story.boot++
  const figures = story.recv('m1', { via: 'late' }).figures()
  t.same(brokenInvariants(figures), [])
  t.equal(figures.duplicatedRaw, 1)
})

test('refused with the exact count: the rest goes out on a new stream', async (t) => {
  const story = new Story()
    .send('m1', 1)
    .send('m2', 2)
    .kill()
    .enter('refused')
    .report('failed', 1, 2)
  story.send('m2', 1, { stream: 'r#2', again: 'counted' }).ack(1, { stream: 'r#2' })
  const figures = story.recv('m1', { via: 'archive' }).recv('m2').keep('m1', 'm2').figures()
  t.same(brokenInvariants(figures), [])
  t.match(figures, { refusedWithCount: 1, arrivedByArchiveOnly: 1 })
})

test('a message that nobody acknowledged and nobody kept is unknown, not lost', async (t) => {
  const figures = correct().send('m4', 4).figures()
  t.same(brokenInvariants(figures), [])
  t.equal(figures.unknown, 1)
})

test('a message that was refused is not owed, and its error may come before its count', async (t) => {
  const figures = correct().send('m4', 4).err('m4').ack(4).figures()
  t.same(brokenInvariants(figures), [])
  t.equal(figures.refused, 1)
})

function finds(name: string, expected: FigureName[], story: Story): void {
  test(name, async (t) => {
    t.same(brokenInvariants(story.figures()).sort(), [...expected].sort())
  })
}

const without = (rows: Row[], mid: string) => rows.filter((row) => row.mid !== mid)

const lostEverywhere = correct()
lostEverywhere.romeos = without(lostEverywhere.romeos, 'm1')
lostEverywhere.juliets = without(lostEverywhere.juliets, 'm1')
finds('I1: acknowledged, in no archive', ['lost', 'strangeIds'], lostEverywhere)

const lostAtRecipient = correct()
lostAtRecipient.juliets = without(lostAtRecipient.juliets, 'm3')
finds("I1: acknowledged, not in the recipient's archive", ['lost', 'strangeIds'], lostAtRecipient)

const lostAtSender = correct()
lostAtSender.romeos = without(lostAtSender.romeos, 'm3')
finds("I1: acknowledged, not in the sender's archive", ['lost'], lostAtSender)

const covered = new Story().send('m1', 1).kill().report('resumed', 1)
finds(
  'I12: the count after a crash covers a message that is not there',
  ['countTooHigh', 'lost', 'neverArrived'],
  covered,
)

finds('I2: a message that nobody sent', ['phantom'], correct().keep('m9'))

const altered = correct()
altered.juliets[0] = { ...altered.juliets[0]!, sound: false }
finds('I2: a message that was altered', ['phantom'], altered)

const misplaced = correct()
misplaced.juliets[0] = { ...misplaced.juliets[0]!, from: 'tybalt@localhost' }
finds('I2: a message under a false name', ['phantom'], misplaced)

finds('I2: a device was given a message that nobody sent', ['phantom'], correct().recv('m9'))

const twice = correct()
twice.romeos.push({ ...twice.romeos[0]!, id: 'r-again' })
finds('I3: twice in an archive', ['twiceInArchive'], twice)

const lowCount = correct()
lowCount.juliets.push({ ...lowCount.juliets[2]!, id: 'j-again' })
finds(
  'I12: the count left out what was kept, and it is there twice',
  ['twiceInArchive', 'countTooLow'],
  lowCount,
)

finds(
  'I4: a stanza-id that the archive does not have',
  ['strangeIds'],
  correct().send('m4', 4).ack(4).recv('m4', { id: 'other' }).keep('m4'),
)

const repeated = correct()
repeated.romeos[1] = { ...repeated.romeos[1]!, id: 'r-m1' }
finds('I4: one id for two messages', ['strangeIds'], repeated)

const swapped = correct()
swapped.romeos.reverse()
finds('I6: out of order in an archive', ['reorderedInArchive'], swapped)

finds(
  'I7: out of order on a stream',
  ['reorderedLive', 'unlikeArchive'],
  new Story().send('m1', 1).send('m2', 2).ack(2).recv('m2').recv('m1').keep('m1', 'm2'),
)

const shuffled = new Story().send('m1', 1).ack(1).recv('m1').keep('m1')
const other = { mid: 'n1', device: 'tablet', from: romeo, to: juliet, stream: 't#1', position: 1 }
shuffled.events.push({ op: 'send', ...other, again: false, t: 9 })
shuffled.recv('n1').keep('n1')
shuffled.juliets.reverse()
finds(
  'I7: two senders, one order on the stream and another in the archive',
  ['unlikeArchive'],
  shuffled,
)

finds(
  'I9: acknowledged and kept, and a device never got it',
  ['neverArrived'],
  correct().send('m4', 4).ack(4).keep('m4'),
)

finds(
  'I9: kept without having been acknowledged is owed as well',
  ['neverArrived'],
  correct().send('m4', 4).keep('m4'),
)

finds(
  'I10: twice on a stream while the server ran on',
  ['duplicatedWithoutCrash'],
  correct().recv('m3'),
)

const underTwoIds = correct()
underTwoIds.boot++
finds(
  'I10: twice under different ids: no dedupe helps',
  ['duplicatedAfterDedupe', 'strangeIds'],
  underTwoIds.recv('m3', { id: 'second' }),
)

finds('I11: refused and kept all the same', ['falseSuccess'], correct().err('m3'))

finds('I11: acknowledged, then refused', ['falseSuccess'], correct().send('m4', 4).ack(4).err('m4'))

finds(
  'I11: a resumption acknowledges it, and its refusal comes after the next acknowledgement',
  ['falseSuccess'],
  correct().send('m4', 4).report('resumed', 4).ack(4).err('m4'),
)

finds(
  'a refusal that waited for the resumption is none after an acknowledgement (XEP-0198 §5)',
  [],
  correct().send('m4', 4).report('resumed', 4).err('m4').ack(4),
)

finds('I12: a count above what was sent', ['wrongCounts'], correct().ack(5, { sent: 3 }))

finds('I12: a count below an earlier one', ['wrongCounts'], correct().ack(2, { sent: 3 }))

finds('resumption refused without a count', ['refusedWithoutCount'], correct().enter('uncounted'))

finds(
  'resumption refused although the server ran on',
  ['notResumedWithoutCrash'],
  correct().enter('refused', false),
)

const thrownOut = correct()
thrownOut.events.push({ op: 'fault', inFlight: 0, hit: ['laptop'], t: 99 })
finds('a device that nothing reached after it was thrown out', ['notReached'], thrownOut)

const lingering = correct()
lingering.settled = false
finds('a device that never settled', ['unsettledDevices'], lingering)
