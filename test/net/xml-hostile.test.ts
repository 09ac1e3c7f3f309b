// The corpus of hostile inputs over every way in, cut at every byte.

import { test } from 'tap'
import { parseXml } from '../../lib/net/xml-document.js'
import { type Hostile, hostile } from './hostile-corpus.js'
import { collectGarbage, conditionOf, HEADER, OPEN, read } from './xml-recorder.js'
import { work } from '../world/work.js'

const bytes = (text: string) => Buffer.from(text, 'latin1')

function wrapped({ place, input }: Hostile): Buffer {
  return bytes(place === 'stanza' ? `<message to='juliet@im.example'>${input}</message>` : input)
}

function onStream(item: Hostile): Buffer {
  return item.place === 'start' ? bytes(item.input) : Buffer.concat([bytes(HEADER), wrapped(item)])
}

test('the corpus has at least 200 inputs, none twice (SEC-06)', async (t) => {
  t.ok(hostile.length >= 200, `${hostile.length} inputs`)
  t.equal(new Set(hostile.map(({ place, input }) => `${place} ${input}`)).size, hostile.length)
})

test('every hostile input ends the stream with its condition (SEC-01, SEC-06; RFC 6120 §4.9.3)', async (t) => {
  for (const item of hostile) {
    const outcome = read([onStream(item)])
    t.equal(outcome.condition, item.condition, `${item.place}: ${JSON.stringify(item.input)}`)
    t.equal(outcome.events.filter((event) => !event.startsWith('opened')).length, 0)
  }
})

test('an input cut at any byte has the same outcome (SEC-01)', async (t) => {
  for (const item of hostile) {
    const input = onStream(item)
    const first = item.place === 'start' ? 0 : HEADER.length - 2
    for (let cut = first; cut <= input.length; cut++) {
      const { condition } = read([input.subarray(0, cut), input.subarray(cut)])
      if (condition !== item.condition)
        t.equal(condition, item.condition, `${item.input} at ${cut}`)
    }
    const single = read(Array.from(input, (_, i) => input.subarray(i, i + 1)))
    if (single.condition !== item.condition) t.equal(single.condition, item.condition, item.input)
  }
})

test('what came before a hostile input is delivered, nothing after it (RFC 6120 §4.9.1.1)', async (t) => {
  const before = Buffer.from("<message to='a@im.example'><body>before</body></message>")
  const after = Buffer.from("<message to='a@im.example'><body>after</body></message>")
  for (const item of hostile.filter(({ place }) => place !== 'start')) {
    const { events } = read([Buffer.concat([bytes(HEADER), before, wrapped(item), after])])
    t.equal(events.length, 2, JSON.stringify(item.input))
    t.match(events[1], 'before')
  }
})

test('a WebSocket message is read by the same rules (SEC-01; RFC 7395 §3.3)', async (t) => {
  for (const item of hostile.filter(({ place }) => place === 'stanza')) {
    const namespaces = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    const message = bytes(`<message ${namespaces}>${item.input}</message>`)
    const { condition, events } = read([OPEN, message], { framing: 'message' })
    t.equal(condition, item.condition, JSON.stringify(item.input))
    t.equal(events.length, 1)
  }
})

test('so is a document that is stored or uploaded (SEC-01)', async (t) => {
  for (const item of hostile.filter(({ place }) => place === 'stanza')) {
    const document = bytes(`<x xmlns:stream='http://etherx.jabber.org/streams'>${item.input}</x>`)
    t.equal(
      conditionOf(() => parseXml(document)),
      item.condition,
      JSON.stringify(item.input),
    )
  }
})

test('ten thousand hostile streams leave nothing behind (SEC-01)', async (t) => {
  const inputs = hostile.map(onStream)
  const run = (count: number) => {
    for (let i = 0; i < count; i++) read([inputs[i % inputs.length]!])
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const before = run(5_000)
  const after = run(10_000)
  t.ok(after - before < 1024 * 1024, `${after - before} bytes`)
})

test('billion laughs ends at its first declaration, at once (SEC-01)', async (t) => {
  const laughs = [HEADER, '<!DOCTYPE lolz [<!ENTITY lol "lol">', '&lol9;'.repeat(1000)]
  t.ok(work(() => t.equal(read(laughs).condition, 'restricted-xml')) < 50)
})
