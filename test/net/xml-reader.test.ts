// Streams and messages as they are meant to be, and what a callback may do to its reader.

import { test } from 'tap'
import { authenticatedLimits, unauthenticatedLimits } from '../../lib/net/xml-limits.js'
import {
  collectGarbage,
  conditionOf,
  HEADER,
  OPEN,
  Recorder,
  read,
  readerFor,
  STREAMS,
} from './xml-recorder.js'

const MESSAGE = "<message to='juliet@im.example' type='chat' id='1'><body>hi</body></message>"
const END = '</stream:stream>'

test('a stream is a header, elements and an end (RFC 6120 §4.2)', async (t) => {
  const { events, condition } = read([`${HEADER}${MESSAGE}<a xmlns='urn:x'>y</a>${END}`])
  t.equal(condition, '')
  t.same(events, [
    'opened im.example',
    "stanza <message type='chat' id='1' to='juliet@im.example'><body>hi</body></message>",
    'element <a xmlns="urn:x">y</a>',
    'closed',
  ])
})

test('the same stream cut at every pair of bytes is the same (RFC 6120 §4.2)', async (t) => {
  const wide = "<presence id='é'><status>Привет 👋 &amp; <![CDATA[<x>]]></status></presence>"
  const input = Buffer.from(`${HEADER}\n ${MESSAGE} ${wide}<a xmlns='urn:x' b="'"/>${END}`)
  const whole = read([input])
  t.equal(whole.events.length, 5)
  for (let size = 1; size < 40; size++) {
    const chunks: Buffer[] = []
    for (let at = 0; at < input.length; at += size) chunks.push(input.subarray(at, at + size))
    t.same(read(chunks).events, whole.events)
  }
  for (let cut = 0; cut < input.length; cut++) {
    const { events } = read([input.subarray(0, cut), input.subarray(cut)])
    if (events.join() !== whole.events.join()) t.same(events, whole.events)
  }
})

test('the header tells what it says (RFC 6120 §4.7)', async (t) => {
  const { recorder } = read([
    `<?xml version="1.0" encoding='utf-8' standalone='yes'?>\r\n<stream:stream from='romeo@im.example' to='im.example' id="&lt;1" version='1.0' xml:lang='it' xmlns='jabber:client' xmlns:stream='${STREAMS}' xmlns:p='urn:p' x='y'>`,
  ])
  const header = recorder.headers[0]!
  t.match(header, {
    from: 'romeo@im.example',
    to: 'im.example',
    id: '<1',
    version: '1.0',
    lang: 'it',
  })
  t.equal(header.xmlns, 'jabber:client')
  t.same(
    [...header.prefixes],
    [
      ['stream', STREAMS],
      ['p', 'urn:p'],
    ],
  )
})

test('a header may be empty or lack everything but its namespaces (RFC 6120 §4.7)', async (t) => {
  const { events } = read([`<stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}'/>`])
  t.same(events, ['opened undefined', 'closed'])
})

test('white space between elements costs nothing and is not kept (RFC 6120 §4.6.1)', async (t) => {
  const recorder = new Recorder()
  const reader = readerFor(recorder)
  reader.write(Buffer.from(` \r\n${HEADER}`))
  for (let i = 0; i < 1000; i++) reader.write(Buffer.from(' \n\r\t'.repeat(1000)))
  t.equal(reader.buffered, 0)
  reader.write(Buffer.from(MESSAGE))
  t.equal(recorder.stanzas.length, 1)
})

test('an idle reader holds nothing; a cut one holds the cut stanza only', async (t) => {
  const recorder = new Recorder()
  const reader = readerFor(recorder)
  reader.write(Buffer.from(HEADER + MESSAGE + MESSAGE.slice(0, 20)))
  t.equal(reader.buffered, 20)
  reader.write(Buffer.from(MESSAGE.slice(20) + MESSAGE))
  t.equal(reader.buffered, 0)
  t.equal(recorder.stanzas.length, 3)
})

test('thirty thousand idle readers are small', async (t) => {
  const readers: unknown[] = []
  const recorder = new Recorder()
  const header = Buffer.from(HEADER + MESSAGE)
  const make = (count: number) => {
    for (let i = 0; i < count; i++) {
      const reader = readerFor(recorder)
      reader.write(header)
      recorder.events.length = recorder.stanzas.length = recorder.headers.length = 0
      readers.push(reader)
    }
  }
  make(1000)
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  make(30_000)
  collectGarbage()
  const each = (process.memoryUsage().heapUsed - before) / 30_000
  t.ok(each < 500, `${each} bytes`)
  t.equal(readers.length, 31_000)
})

test('after reset a new header is expected, also in the same chunk (RFC 6120 §4.3.3)', async (t) => {
  const recorder = new Recorder()
  const reader = readerFor(recorder)
  recorder.element = () => reader.reset()
  reader.write(Buffer.from(`${HEADER}<auth xmlns='urn:x'/>\n${HEADER}${MESSAGE}`))
  t.equal(recorder.headers.length, 2)
  t.equal(recorder.stanzas.length, 1)
  recorder.stanza = () => reader.reset()
  const text = MESSAGE + HEADER
  reader.write(Buffer.from(text.slice(0, 30)))
  reader.write(Buffer.from(text.slice(30)))
  t.equal(recorder.headers.length, 3)
  reader.reset()
  t.equal(
    conditionOf(() => reader.write(Buffer.from(MESSAGE))),
    'invalid-namespace',
  )
})

test('after stop nothing of the chunk counts, until reset (RFC 6120 §5.4.3.3, SEC-12)', async (t) => {
  const recorder = new Recorder()
  const reader = readerFor(recorder)
  recorder.element = () => reader.stop()
  reader.write(
    Buffer.from(`${HEADER}<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>${MESSAGE}<`),
  )
  reader.write(Buffer.from('/bad'))
  t.equal(recorder.stanzas.length, 0)
  t.equal(reader.buffered, 0)
  reader.reset()
  reader.write(Buffer.from(HEADER + MESSAGE))
  t.equal(recorder.stanzas.length, 1)
})

test('after an error nothing more is read (RFC 6120 §4.9.1.1)', async (t) => {
  const recorder = new Recorder()
  const reader = readerFor(recorder)
  t.equal(
    conditionOf(() => reader.write(Buffer.from(`${HEADER}<a></b>`))),
    'not-well-formed',
  )
  reader.write(Buffer.from(MESSAGE))
  t.equal(recorder.stanzas.length, 0)
  t.equal(reader.buffered, 0)
})

test('what comes after the end of the stream is dropped (RFC 6120 §4.4)', async (t) => {
  const { events, condition } = read([`${HEADER}</stream:stream  >${MESSAGE}`, '<x'])
  t.same(events, ['opened im.example', 'closed'])
  t.equal(condition, '')
})

test('limits replaced in a callback hold for the next element (SEC-02)', async (t) => {
  const recorder = new Recorder()
  const reader = readerFor(recorder, { limits: unauthenticatedLimits })
  const long = MESSAGE.replace('hi', 'x'.repeat(20_000))
  recorder.element = () => {
    reader.limits = authenticatedLimits
  }
  reader.write(Buffer.from(`${HEADER}<auth xmlns='urn:x'/>${long}`))
  t.equal(recorder.stanzas.length, 1)
  recorder.stanza = () => {
    reader.limits = unauthenticatedLimits
  }
  t.equal(
    conditionOf(() => reader.write(Buffer.from(MESSAGE + long))),
    'policy-violation',
  )
})

test('a callback may write to another reader', async (t) => {
  const outer = new Recorder()
  const inner = new Recorder()
  const reader = readerFor(outer)
  const other = readerFor(inner)
  outer.stanza = (stanza) => other.write(Buffer.from(stanza.render('', ''), 'latin1'))
  other.write(Buffer.from(HEADER))
  reader.write(Buffer.from(HEADER + MESSAGE + MESSAGE.slice(0, 30)))
  reader.write(Buffer.from(MESSAGE.slice(30)))
  t.equal(inner.stanzas.length, 2)
  t.equal(inner.stanzas[1]!.text('body'), 'hi')
})

test('a WebSocket message is one element (RFC 7395 §3.3)', async (t) => {
  const stanza =
    "<message xmlns='jabber:client' to='a@b' id='1'><body>hi</body><x xmlns='urn:x'/></message>"
  const { events, condition } = read(
    [OPEN, stanza, `${stanza} `, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", stanza],
    { framing: 'message' },
  )
  t.equal(condition, '')
  t.same(events, [
    'opened im.example',
    "stanza <message id='1' to='a@b'><body>hi</body><x xmlns='urn:x'/></message>",
    "stanza <message id='1' to='a@b'><body>hi</body><x xmlns='urn:x'/></message>",
    'closed',
  ])
})

test('anything else in a WebSocket message is an error, and nothing of it is delivered (RFC 7395 §3.3, SEC-08)', async (t) => {
  const stanza = "<message xmlns='jabber:client'><body>hi</body></message>"
  const cases: [string, string][] = [
    [stanza + stanza, 'bad-format'],
    [`${stanza}x`, 'bad-format'],
    [` ${stanza}`, 'bad-format'],
    ['', 'bad-format'],
    [' ', 'bad-format'],
    ['x', 'bad-format'],
    [stanza.slice(0, -1), 'not-well-formed'],
    [`<?xml version='1.0'?>${stanza}`, 'restricted-xml'],
    [OPEN, 'bad-format'],
    ["<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'>x</open>", 'bad-format'],
    ["<ping xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", 'bad-format'],
    ['<message><body>hi</body></message>', 'invalid-namespace'],
    ["<message xmlns='jabber:server'/>", 'invalid-namespace'],
    [HEADER, 'restricted-xml'],
    [HEADER.slice(HEADER.indexOf('<stream')), 'bad-format'],
    ['</stream:stream>', 'not-well-formed'],
  ]
  for (const [input, condition] of cases) {
    const outcome = read([OPEN, input], { framing: 'message' })
    t.equal(outcome.condition, condition, input)
    t.equal(outcome.events.length, 1, input)
  }
})

test('a WebSocket stream begins with <open/>, also after a restart (RFC 7395 §3.4)', async (t) => {
  const stanza = Buffer.from("<iq xmlns='jabber:client' type='get' id='1'/>")
  t.equal(read([stanza], { framing: 'message' }).condition, 'bad-format')
  t.equal(read(["<a xmlns='urn:a'/>"], { framing: 'message' }).condition, 'bad-format')
  const recorder = new Recorder()
  const reader = readerFor(recorder, { framing: 'message' })
  reader.message(Buffer.from(OPEN))
  reader.reset()
  reader.message(Buffer.from(OPEN))
  reader.message(stanza)
  t.equal(recorder.headers.length, 2)
  t.equal(recorder.headers[0]!.version, '1.0')
  t.equal(recorder.stanzas.length, 1)
})
