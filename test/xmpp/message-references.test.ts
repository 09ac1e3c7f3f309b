// The ids by which messages speak of each other.

import { test } from 'tap'
import fc from 'fast-check'
import { escapeXml } from '../../lib/xmpp/element.js'
import { originId, ownLabel, referredId } from '../../lib/xmpp/message-references.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { composed, given, message, type SampleName, samples } from './message-samples.js'

const SID = 'urn:xmpp:sid:0'
const origin = (attributes: string, name = 'origin-id') => `<${name} xmlns='${SID}'${attributes}/>`

test('an origin-id counts where there is exactly one (XEP-0359 §2.2)', async (t) => {
  const read = (content: string, attributes = '') => originId(given('chat', content, attributes))
  t.equal(read(origin(" id='o1'")), 'o1')
  t.equal(read(`<body>x</body>${origin(' id="o&amp;1&#x27;"')}<body/>`), "o&1'")
  t.equal(read(`<body>é</body>${origin(" id='é👋'")}`), 'é👋')
  t.equal(read(`<s:origin-id  other='y'\n id = 'o1' ></s:origin-id>`, ` xmlns:s='${SID}'`), 'o1')
  t.equal(read(''), undefined)
  t.equal(read(origin('')), undefined)
  t.equal(read(origin(" id=''")), undefined)
  t.equal(read(origin(" id='a'") + origin(" id='a'")), undefined)
  t.equal(read(origin(" id='a'", 'stanza-id')), undefined)
  t.equal(read(`<origin-id xmlns='urn:other' id='a'/>${origin(" id='b'")}`), 'b')
  t.equal(read(`<x xmlns='urn:x'>${origin(" id='a'")}</x>`), undefined)
})

test('only an attribute of the tag itself is the id', async (t) => {
  const read = (content: string) => originId(given('chat', content))
  t.equal(read(origin(` a=" id='no'" id='yes'`)), 'yes')
  t.equal(read(origin(` x:id='no' xmlns:x='urn:x' id='yes'`)), 'yes')
  t.equal(read(origin(` ID='no'`)), undefined)
  t.equal(read(origin(` idx='no' i='no' id='yes'`)), 'yes')
  t.equal(read(`<origin-id xmlns='${SID}' > id='no' </origin-id>`), undefined)
  t.equal(read(`<origin-id xmlns='${SID}' >a='b' id='no'</origin-id>`), undefined)
  t.equal(read(`<origin-id xmlns='${SID}' /><y xmlns='urn:y' id='no'/>`), undefined)
  t.equal(read(`<origin-id xmlns='${SID}'><y id='no'/></origin-id>`), undefined)
  t.equal(read(`<origin-id\txmlns='${SID}'\n a='>' \r\n id="a\tb"/>`), 'a b')
})

test('an id is read as a tree would read it', async (t) => {
  const text = fc.string({ unit: fc.constantFrom(...'aé👋<>&"\'=/ \n'), maxLength: 12 })
  const space = fc.constantFrom(' ', '  ', '\n', '\t ')
  fc.assert(
    fc.property(text, text, space, (id, other, gap) => {
      const attributes = `${gap}a='${escapeXml(other)}'${gap}id="${escapeXml(id)}"${gap}`
      const stanza = given('chat', `<body>x</body>${origin(attributes)}`)
      const tree = stanza.child('origin-id', SID)!.attrs.id as string
      return tree === id && originId(stanza) === (id || undefined)
    }),
  )
  t.pass()
})

test('others call a message by its origin-id, else by its id (XEP-0444 §4.2)', async (t) => {
  t.equal(ownLabel(given('chat', origin(" id='o1'"), " id='m1'")), 'o1')
  t.equal(ownLabel(given('chat', '<body/>', " id='m1'")), 'm1')
  t.equal(ownLabel(given('chat', origin(" id='a'") + origin(" id='b'"), " id='m1'")), 'm1')
  t.equal(ownLabel(given('chat', '<body/>')), undefined)
})

const kindOf = (stanza: Stanza) => referredId(stanza)?.kind

test('a message says which one it is about (XEP-0184, 0308, 0333, 0424, 0444, 0461)', async (t) => {
  const kinds: Partial<Record<SampleName, string>> = {
    receipt: 'delivered',
    displayed: 'displayed',
    acknowledged: 'displayed',
    reactions: 'reaction',
    retraction: 'retraction',
    correction: 'correction',
    reply: 'reply',
  }
  for (const name of Object.keys(samples) as SampleName[]) {
    const kind = kinds[name]
    t.same(referredId(message('chat', 'body', name)), kind && { kind, id: 'm1' }, name)
  }
  const old = given('chat', "<received xmlns='urn:xmpp:chat-markers:0' id='m&lt;'/>")
  t.same(referredId(old), { kind: 'delivered', id: 'm<' })
})

test('where a message refers twice, what changes most counts', async (t) => {
  t.equal(kindOf(message('chat', 'reply', 'correction')), 'correction')
  t.equal(kindOf(message('chat', 'receipt', 'displayed')), 'displayed')
  t.equal(kindOf(message('chat', 'correction', 'reactions', 'retraction')), 'retraction')
})

test('a reference without an id is none (XEP-0184 §5.4)', async (t) => {
  t.equal(kindOf(given('chat', "<received xmlns='urn:xmpp:receipts'/>")), undefined)
  t.equal(kindOf(given('chat', "<received xmlns='urn:xmpp:receipts' id=''/>")), undefined)
  const both =
    "<replace xmlns='urn:xmpp:message-correct:0'/><reply xmlns='urn:xmpp:reply:0' id='r'/>"
  t.same(referredId(given('chat', both)), { kind: 'reply', id: 'r' })
})

test('whatever a message is made of, its ids are those of its tree', async (t) => {
  fc.assert(
    fc.property(composed, ({ content, attributes }) => {
      const stanza = given('chat', content, attributes)
      const ids = stanza.element.getChildren('origin-id', SID)
      const expected = ids.length === 1 ? ids[0]!.attrs.id : undefined
      const referred = referredId(stanza)
      return originId(stanza) === expected && (referred === undefined || referred.id === 'm1')
    }),
  )
  t.pass()
})
