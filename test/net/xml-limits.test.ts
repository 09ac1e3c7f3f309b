// Every limit holds exactly: at it all is well, one beyond it the stream ends.

import { test } from 'tap'
import {
  authenticatedLimits,
  serverLimits,
  unauthenticatedLimits,
  type XmlLimits,
} from '../../lib/net/xml-limits.js'
import { knownTag, rememberTag } from '../../lib/net/xml-known-tags.js'
import { intern } from '../../lib/net/xml-names.js'
import {
  collectGarbage,
  conditionOf,
  HEADER,
  OPEN,
  Recorder,
  read,
  readerFor,
} from './xml-recorder.js'
import { work } from '../world/work.js'

function condition(limits: XmlLimits, text: string): string {
  const whole = read([HEADER, text], { limits })
  const bytes = Buffer.from(text)
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += 1447) chunks.push(bytes.subarray(at, at + 1447))
  const cut = read([HEADER, ...chunks], { limits })
  const message = read([OPEN, text.replace('>', " xmlns='jabber:client'>")], {
    framing: 'message',
    limits: { ...limits, bytes: limits.bytes + " xmlns='jabber:client'".length },
  })
  return whole.condition === cut.condition && whole.condition === message.condition
    ? whole.condition
    : `${whole.condition} / ${cut.condition} / ${message.condition}`
}

const message = (content: string) => `<message>${content}</message>`

function sized(bytes: number): string {
  return message('x'.repeat(bytes - message('').length))
}

test('LIM-stanza-bytes: 256 KiB for clients, 512 KiB for servers (SEC-04)', async (t) => {
  t.equal(authenticatedLimits.bytes, 262_144)
  t.equal(serverLimits.bytes, 524_288)
  for (const limits of [authenticatedLimits, serverLimits]) {
    t.equal(condition(limits, sized(limits.bytes)), '')
    t.equal(condition(limits, sized(limits.bytes + 1)), 'policy-violation')
  }
})

test('LIM-unauthenticated: 16 KiB, 64 elements, depth 10 (SEC-02)', async (t) => {
  const limits = unauthenticatedLimits
  t.match(limits, { bytes: 16_384, elements: 64, depth: 10 })
  t.equal(condition(limits, sized(16_384)), '')
  t.equal(condition(limits, sized(16_385)), 'policy-violation')
  t.equal(condition(limits, message('<a/>'.repeat(63))), '')
  t.equal(condition(limits, message('<a/>'.repeat(64))), 'policy-violation')
  t.equal(condition(limits, message('<a>'.repeat(9) + '</a>'.repeat(9))), '')
  t.equal(condition(limits, message('<a>'.repeat(10) + '</a>'.repeat(10))), 'policy-violation')
})

test('LIM-elements: 2000 in a stanza', async (t) => {
  t.equal(condition(authenticatedLimits, message('<a/>'.repeat(1999))), '')
  t.equal(condition(authenticatedLimits, message('<a/>'.repeat(2000))), 'policy-violation')
})

test('LIM-depth: 64 levels', async (t) => {
  t.equal(condition(authenticatedLimits, message('<a>'.repeat(63) + '</a>'.repeat(63))), '')
  t.equal(condition(authenticatedLimits, message('<a>'.repeat(64))), 'policy-violation')
})

test('LIM-attributes: 64 of one element', async (t) => {
  const element = (count: number) =>
    `<a ${Array.from({ length: count }, (_, i) => `b${i}=''`).join(' ')}/>`
  t.equal(condition(authenticatedLimits, message(element(64) + element(64))), '')
  t.equal(condition(authenticatedLimits, message(element(65))), 'policy-violation')
  t.equal(condition(unauthenticatedLimits, message(element(2000))), 'policy-violation')
})

test('LIM-name: 1 KiB', async (t) => {
  const name = 'n'.repeat(1024)
  t.equal(condition(authenticatedLimits, message(`<${name} ${name}=''></${name}>`)), '')
  t.equal(condition(authenticatedLimits, message(`<${name}n/>`)), 'policy-violation')
  t.equal(condition(authenticatedLimits, message(`<a ${name}n=''/>`)), 'policy-violation')
})

test('LIM-declarations: 128 in scope, which may be declared again and again', async (t) => {
  const declare = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ` xmlns:p${from + i}='urn:${from + i}'`).join('')
  const nested = (inner: string) =>
    message(`<a${declare(0, 64)}><a${declare(64, 62)}>${inner}</a></a>`)
  const fits = nested("<b xmlns:q='urn:q'/>".repeat(200))
  t.equal(read([HEADER, fits]).condition, '')
  t.equal(read([HEADER, nested(`<b${declare(200, 2)}/>`)]).condition, '')
  t.equal(read([HEADER, nested(`<b${declare(200, 3)}/>`)]).condition, 'policy-violation')
})

test('a stream header has the same limits (LIM-stanza-bytes, LIM-attributes)', async (t) => {
  const header = (more: string) => HEADER.replace("to='", `${more} to='`)
  const limits = unauthenticatedLimits
  t.equal(read([header(`x='${'x'.repeat(16_384)}'`)], { limits }).condition, 'policy-violation')
  const many = Array.from({ length: 64 }, (_, i) => `b${i}=''`).join(' ')
  t.equal(read([header(many)], { limits }).condition, 'policy-violation')
})

const ENDLESS: Record<string, string> = {
  'start tag': '<message ',
  name: '<message><',
  'attribute name': '<message ',
  'attribute value': "<message id='",
  text: '<message>',
  CDATA: '<message><![CDATA[',
  'white space in a tag': '<message',
  'white space in an end tag': '<message></message',
  reference: '<message>&#',
}

test('what never ends is closed at its limit, and no more is held than the limit and a chunk (SEC-04)', async (t) => {
  for (const [what, start] of Object.entries(ENDLESS)) {
    const filler = what.startsWith('white') ? ' ' : what === 'start tag' ? "a='' " : '7'
    const reader = readerFor(new Recorder(), { limits: unauthenticatedLimits })
    reader.write(Buffer.from(HEADER + start))
    const chunk = Buffer.from(filler.repeat(1000))
    let held = 0
    const condition = conditionOf(() => {
      for (let i = 0; i < 1000; i++) {
        reader.write(chunk)
        held = Math.max(held, reader.buffered)
      }
    })
    t.ok(['policy-violation', 'not-well-formed'].includes(condition), `${what}: ${condition}`)
    t.ok(held <= unauthenticatedLimits.bytes + chunk.length, `${what}: ${held}`)
    t.equal(reader.buffered, 0)
  }
})

test('an input of one byte at a time costs time in proportion (SEC-04)', async (t) => {
  const reader = readerFor(new Recorder())
  reader.write(Buffer.from(HEADER))
  const bytes = Buffer.from(sized(authenticatedLimits.bytes))
  const all = work(() => {
    for (let i = 0; i < bytes.length; i++) reader.write(bytes.subarray(i, i + 1))
  })
  t.ok(all < 2000, `${all} ms`)
})

test('the costliest stanza within the limits is read in under 50 ms a piece (SEC-02)', async (t) => {
  const prefixes = Array.from({ length: 60 }, (_, i) => ` xmlns:p${i}='urn:${i}'`).join('')
  const attributes = Array.from({ length: 60 }, (_, i) => ` p${i}:a='' `).join('')
  const element = `<b${attributes}/>`
  const stanza = Buffer.from(message(`<a${prefixes}>${element.repeat(420)}</a>`))
  t.ok(stanza.length > 200_000 && stanza.length < authenticatedLimits.bytes)
  let best = Infinity
  for (let round = 0; round < 5; round++) {
    const reader = readerFor(new Recorder())
    reader.write(Buffer.from(HEADER))
    best = Math.min(
      best,
      work(() => reader.write(stanza)),
    )
  }
  t.ok(best < 50, `${best} ms`)
})

/** What a stranger may send that makes the most of few bytes. */
const AMPLIFYING: Record<string, string> = {
  elements: '<a>'.repeat(8) + '<b/>'.repeat(54),
  attributes: Array.from({ length: 35 }, () => `<a ${names(60).join("='' ")}=''/>`).join(''),
  declarations: `<a${names(60)
    .map((n) => ` xmlns:${n}='u'`)
    .join('')}>`,
  'one long text': 'x'.repeat(15_000),
  'text and CDATA': '<![CDATA[]]>x'.repeat(1200),
  references: '&lt;'.repeat(3800),
}

function names(count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) => String.fromCharCode(97 + (i % 26)) + (i > 25 ? i : ''),
  )
}

test('before login a byte on the wire costs at most 30 bytes of heap while a stanza is cut (SEC-02)', async (t) => {
  for (const [what, content] of Object.entries(AMPLIFYING)) {
    const text = Buffer.from(`${HEADER}<auth>${content}`)
    const readers: unknown[] = []
    collectGarbage()
    collectGarbage()
    const before = memory()
    for (let i = 0; i < 100; i++) {
      const reader = readerFor(new Recorder(), { limits: unauthenticatedLimits })
      for (let at = 0; at < text.length; at += 512) reader.write(text.subarray(at, at + 512))
      readers.push(reader)
    }
    collectGarbage()
    const factor = (memory() - before) / (text.length * readers.length)
    t.ok(factor <= 30, `${what}: ${factor}`)
  }
})

test('before login the tree of an element costs at most 30 bytes of heap a byte, and 16 KiB (SEC-02)', async (t) => {
  for (const [what, content] of Object.entries(AMPLIFYING)) {
    const open = [...content.matchAll(/<a[^/>]*>/g)].length
    const text = `<x xmlns='u'>${content}${'</a>'.repeat(open)}</x>`
    const recorder = new Recorder()
    const reader = readerFor(recorder, { limits: unauthenticatedLimits })
    recorder.element = (element) => void recorder.elements.push(element)
    reader.write(Buffer.from(HEADER))
    collectGarbage()
    const before = memory()
    for (let i = 0; i < 100; i++) reader.write(Buffer.from(text))
    collectGarbage()
    const each = (memory() - before) / 100
    t.equal(recorder.elements.length, 100)
    t.ok(each <= 30 * text.length + 16_384, `${what}: ${each} for ${text.length}`)
  }
})

function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test('strangers cannot make the table of names grow', async (t) => {
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 200_000; i++) {
    const name = Buffer.from(`urn:example:${i}:${'n'.repeat(60)}`)
    if (intern(name, 0, name.length) !== name.toString()) t.fail('wrong name')
  }
  collectGarbage()
  t.ok(process.memoryUsage().heapUsed - before < 16 * 1024 * 1024)
})

test('the table never takes one name for another (SEC-06)', async (t) => {
  const bytes = (text: string) => Buffer.from(text)
  for (let i = 0; i < 10_000; i++) {
    const two = bytes(`\u00c4\u00b7${i}`)
    intern(two, 0, two.length)
    const one = bytes(`\u0137${i}`)
    if (intern(one, 0, one.length) !== `\u0137${i}`) t.fail(`wrong name at ${i}`)
  }
})

test('strangers cannot make the table of tags grow', async (t) => {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 200_000; i++) {
    const tag = Buffer.from(`a${i}${'n'.repeat(60)}>`)
    rememberTag(tag, 0, { name: `a${i}`, xmlns: undefined, end: tag.length })
  }
  collectGarbage()
  t.ok(process.memoryUsage().heapUsed - before < 1024 * 1024)
  const known = Buffer.from("body xmlns='u'>")
  rememberTag(known, 0, { name: 'body', xmlns: 'u', end: known.length })
  t.match(knownTag(known, 0, known.length), { name: 'body', xmlns: 'u', empty: false })
  t.equal(knownTag(known, 0, known.length - 1), undefined)
  const long = Buffer.from(`body xmlns='${'u'.repeat(100)}'>`)
  rememberTag(long, 0, { name: 'body', xmlns: 'u', end: long.length })
  t.equal(knownTag(long, 0, long.length), undefined)
})

test('tags that were read before count like others (LIM-elements, LIM-depth, LIM-declarations)', async (t) => {
  const limits = authenticatedLimits
  const open = "<item xmlns='urn:i'>"
  const close = '</item>'
  t.equal(condition(limits, message('<item/>'.repeat(1999))), '')
  t.equal(condition(limits, message('<item/>'.repeat(2000))), 'policy-violation')
  t.equal(condition(limits, message(open.repeat(63) + close.repeat(63))), '')
  t.equal(condition(limits, message(open.repeat(64) + close.repeat(64))), 'policy-violation')
  const few = { ...limits, declarations: 9 }
  t.equal(read([HEADER, message(open.repeat(9) + close.repeat(9))], { limits: few }).condition, '')
  t.equal(read([HEADER, message(open.repeat(10))], { limits: few }).condition, 'policy-violation')
})
