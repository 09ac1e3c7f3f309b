// Namespaces on a stream: what a stanza says must not change when it is forwarded under another
// header.

import { test } from 'tap'
import { serialize } from '../../lib/xmpp/element.js'
import { HEADER, OPEN, read, readOne, STREAMS } from './xml-recorder.js'

test('an element knows the namespaces it was in (RFC 6120 §4.8)', async (t) => {
  const { recorder } = read(
    [
      `<stream:stream xmlns='jabber:component:accept' xmlns:stream='${STREAMS}' to='x' id='1'>`,
      "<handshake>abc</handshake><stream:error><a xmlns='urn:a'/></stream:error>",
    ],
    { content: 'jabber:component:accept' },
  )
  const [handshake, error] = recorder.elements
  t.equal(handshake!.getNS(), 'jabber:component:accept')
  t.equal(error!.getNS(), STREAMS)
  t.equal(
    serialize(error!),
    `<stream:error xmlns:stream='${STREAMS}'><a xmlns='urn:a'/></stream:error>`,
  )
})

test('stanzas of another content namespace are shown as jabber:client (RFC 6120 §4.8.3)', async (t) => {
  const header = `<stream:stream xmlns='jabber:server' xmlns:stream='${STREAMS}' xmlns:s='jabber:server'>`
  const { recorder } = read(
    [
      header,
      "<message from='a@b' to='c@d'><body>1</body></message>",
      "<message><x xmlns='urn:x'><body xmlns='jabber:server'/></x><s:body>2</s:body></message>",
      "<message xmlns='jabber:server'><body xmlns='jabber:server'>3</body></message>",
      '<s:message><s:body>4</s:body><body>5</body></s:message>',
    ],
    { content: 'jabber:server' },
  )
  t.same(
    recorder.stanzas.map((stanza) => stanza.text('body')),
    ['1', '2', '3', '4'],
  )
  for (const stanza of recorder.stanzas) t.notMatch(stanza.render('', ''), 'jabber:server')
})

test('a stanza takes along what it uses of the header’s declarations (RFC 6120 §4.8.4)', async (t) => {
  const header = HEADER.replace("to='", "xmlns:p='urn:p' xmlns:q='urn:&apos;q' to='")
  const { recorder } = read([header, "<message><p:x q:y='1'/></message><message><z/></message>"])
  const [first, second] = recorder.stanzas
  t.ok(first!.has('x', 'urn:p'))
  t.equal(first!.attributes, " xmlns:q='urn:&apos;q' xmlns:p='urn:p'")
  t.equal(second!.attributes, '')
  t.equal(first!.child('x', 'urn:p')!.getNS(), 'urn:p')
})

test('a stanza written with a prefix is written anew without (Namespaces in XML §6.2)', async (t) => {
  const stanza = readOne(
    "<c:message xmlns:c='jabber:client' xmlns='urn:other' type='chat' c:id='2'><c:body>hi</c:body><x/></c:message>",
  )
  t.equal(stanza.kind, 'message')
  t.equal(stanza.text('body'), 'hi')
  t.ok(stanza.has('x', 'urn:other'))
  const again = readOne(stanza.render('', ''))
  t.equal(again.text('body'), 'hi')
  t.ok(again.has('x', 'urn:other'))
})

test('a child without namespace on a WebSocket stays so when forwarded (SEC-06)', async (t) => {
  const { recorder } = read(
    [OPEN, "<c:message xmlns:c='jabber:client'><body>no</body></c:message>"],
    {
      framing: 'message',
    },
  )
  const stanza = recorder.stanzas[0]!
  t.equal(stanza.text('body'), undefined)
  t.ok(stanza.has('body', ''))
  t.ok(readOne(stanza.render('', '')).has('body', ''))
})

test('names beyond ASCII are never mistaken for each other (SEC-06)', async (t) => {
  for (const name of ['Ä·', 'ķ', 'Ä·', 'ķ']) {
    t.same(readOne(`<message><${name}/></message>`).children[0]!.name, name)
  }
})

test('an attribute may be named as a property of every object', async (t) => {
  const stanza = readOne("<message __proto__='1'><x __proto__='2' constructor='3'/></message>")
  t.equal(
    serialize(stanza.element),
    "<message xmlns='jabber:client' __proto__='1'><x __proto__='2' constructor='3'/></message>",
  )
})

test('a tag that was read before means what its place makes of it (SEC-06)', async (t) => {
  const { recorder } = read([
    HEADER,
    "<message><status/><xx xmlns='urn:x'><status/></xx></message>",
    "<message><xx xmlns='urn:x'><status/></xx><status/></message>",
    "<iq xmlns='urn:y'><status/><xx xmlns='urn:x'>1</xx></iq>",
  ])
  for (const stanza of recorder.stanzas) {
    t.equal(stanza.children.length, 2)
    t.ok(stanza.has('status', 'jabber:client') && stanza.has('xx', 'urn:x'))
    t.ok(stanza.child('xx', 'urn:x')!.getChild('status', 'urn:x'))
  }
  t.equal(recorder.elements[0]!.getChild('status')!.getNS(), 'urn:y')
  const inside = `<c:message xmlns:c='jabber:client' xmlns='${STREAMS}'><status/></c:message>`
  t.equal(read([HEADER, '<message><status/></message>', inside]).condition, 'bad-format')
  t.equal(
    read([HEADER, '<message><status/></message>', '<message><status/></status>']).condition,
    'not-well-formed',
  )
})
