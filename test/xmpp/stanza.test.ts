// What a stanza answers without a tree, and that changing one leaves the original alone.

import { test } from 'tap'
import { serialize, toWire, xml } from '../../lib/xmpp/element.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { parseTree } from '../../lib/xmpp/tree.js'
import { readOne } from '../net/xml-recorder.js'

const RICH =
  "<message to='juliet@im.example' from='romeo@im.example/a' type='chat' id='&lt;é&gt;' xml:lang='en' xmlns='jabber:client' xmlns:p='urn:p' x=\"y'\">" +
  "<body>Привет &amp; <![CDATA[<b>]]></body> <active xmlns='urn:chat'/><p:mark id='1'><p:in/></p:mark>" +
  "<active xmlns='urn:chat' n='2'/></message>"

test('attributes are real text; the rest of the tag is kept as written (RFC 6120 §8.1)', async (t) => {
  const stanza = readOne(RICH)
  t.match(stanza, { kind: 'message', type: 'chat', id: '<é>', lang: 'en' })
  t.match(stanza, { to: 'juliet@im.example', from: 'romeo@im.example/a' })
  t.equal(
    Buffer.from(stanza.attributes, 'latin1').toString(),
    " type='chat' id='&lt;é&gt;' xml:lang='en' xmlns:p='urn:p' x=\"y'\"",
  )
})

test('what is absent is empty, and addresses undefined', async (t) => {
  const stanza = readOne('<presence/>')
  t.match(stanza, { kind: 'presence', type: '', id: '', lang: '', attributes: '', content: '' })
  t.equal(stanza.to, undefined)
  t.equal(stanza.from, undefined)
  t.same(stanza.children, [])
  t.equal(stanza.render('', ''), '<presence/>')
  t.equal(readOne("<iq id=''></iq>").content, '')
})

test('the index knows names, namespaces and ranges of the children', async (t) => {
  const stanza = readOne(RICH)
  t.same(
    stanza.children.map(({ name, xmlns }) => `${xmlns} ${name}`),
    ['jabber:client body', 'urn:chat active', 'urn:p mark', 'urn:chat active'],
  )
  const last = stanza.children[3]!
  t.equal(stanza.content.slice(last.start, last.end), "<active xmlns='urn:chat' n='2'/>")
  t.ok(stanza.has('active', 'urn:chat'))
  t.notOk(stanza.has('active', 'jabber:client'))
  t.notOk(stanza.has('in', 'urn:p'))
  t.ok(stanza.hasNamespace('urn:p'))
  t.notOk(stanza.hasNamespace('urn:q'))
})

test('a child is parsed alone, once, with the prefixes in scope', async (t) => {
  const stanza = readOne(RICH)
  const mark = stanza.child('mark', 'urn:p')!
  t.equal(mark.getNS(), 'urn:p')
  t.equal(mark.attrs.id, '1')
  t.ok(mark.getChild('in', 'urn:p'))
  t.equal(stanza.child('mark', 'urn:p'), mark)
  t.equal(stanza.child('mark', 'urn:q'), undefined)
  t.equal(stanza.child('body', 'jabber:client')!.getNS(), 'jabber:client')
})

test('text is decoded (XML 1.0 §2.4, §2.7)', async (t) => {
  const stanza = readOne(RICH)
  t.equal(stanza.text('body'), 'Привет & <b>')
  t.equal(stanza.text('subject'), undefined)
  t.equal(readOne('<message><subject/></message>').text('subject'), '')
})

test('the tree is whole and made once', async (t) => {
  const stanza = readOne(RICH)
  const { element } = stanza
  t.equal(element, stanza.element)
  t.match(element.attrs, {
    to: 'juliet@im.example',
    from: 'romeo@im.example/a',
    id: '<é>',
    x: "y'",
  })
  t.equal(element.getNS(), 'jabber:client')
  t.equal(element.getChildren('active', 'urn:chat').length, 2)
  t.equal(element.getChildText('body', 'jabber:client'), 'Привет & <b>')
})

test('rendering writes a new root around the same text (RFC 6120 §8.1.2.1, RFC 7395 §3.3.3)', async (t) => {
  const stanza = readOne("<message to='x@y' type='chat' id='1'><body>hi</body></message>")
  t.equal(
    stanza.render('a@b/c', 'd@e'),
    "<message type='chat' id='1' from='a@b/c' to='d@e'><body>hi</body></message>",
  )
  t.equal(
    stanza.render('', 'd@e', '<z/>', 'jabber:client'),
    "<message xmlns='jabber:client' type='chat' id='1' to='d@e'><body>hi</body><z/></message>",
  )
  t.equal(
    readOne("<iq type='result' id='1'/>").render('a@b', ''),
    "<iq type='result' id='1' from='a@b'/>",
  )
})

test('without drops every child that matches and keeps the others as they were', async (t) => {
  const stanza = readOne(RICH)
  const fewer = stanza.without(({ name }) => name === 'active')
  t.same(
    fewer.children.map(({ name }) => name),
    ['body', 'mark'],
  )
  t.equal(fewer.content, stanza.content.replace(/<active[^>]*>/g, ''))
  t.equal(fewer.child('mark', 'urn:p')!.attrs.id, '1')
  t.equal(fewer.text('body'), stanza.text('body'))
  t.equal(fewer.attributes, stanza.attributes)
  t.equal(stanza.children.length, 4)
  t.equal(
    stanza.without(() => false),
    stanza,
  )
  t.equal(stanza.without(() => true).content, ' ')
})

test('with changes type and id and appends children', async (t) => {
  const stanza = readOne(RICH)
  const more = stanza.with({
    type: 'error',
    id: "'",
    append: "<p:x/><y xmlns='urn:y' a='/>'><z/></y>",
  })
  t.match(more, { type: 'error', id: "'", lang: 'en', to: stanza.to })
  t.ok(more.has('x', 'urn:p'))
  t.ok(more.child('y', 'urn:y')!.getChild('z'))
  const again = readOne(Buffer.from(more.render('', ''), 'latin1'))
  t.match(again, { type: 'error', id: "'", lang: 'en' })
  t.same(again.children, more.children)
  t.equal(again.element.attrs.x, "y'")
  t.equal(stanza.type, 'chat')
  t.equal(stanza.with({ type: '', id: '' }).render('', '').includes('type='), false)
  t.equal(readOne('<iq/>').with({ id: '7' }).render('', ''), "<iq id='7'/>")
})

test('a stanza of a tree is what the tree says', async (t) => {
  const tree = xml(
    'message',
    { to: 'a@b', from: 'c@d', type: 'chat', id: 'é"', 'xml:lang': 'it', xmlns: 'jabber:client' },
    xml('body', {}, 'x < y'),
    ' & ',
    xml('z', 'urn:z', xml('body', {}, 'inner')),
  )
  const stanza = Stanza.of(tree)
  t.match(stanza, { kind: 'message', type: 'chat', id: 'é"', to: 'a@b', from: 'c@d', lang: 'it' })
  t.equal(stanza.text('body'), 'x < y')
  t.ok(stanza.has('z', 'urn:z'))
  const again = readOne(Buffer.from(stanza.render('', ''), 'latin1'))
  t.same(again.children, stanza.children)
  t.equal(again.content, stanza.content)
  t.equal(again.attributes, stanza.attributes)
})

test('a stanza of a tree under another default namespace keeps its meaning', async (t) => {
  const tree = parseTree(
    "<c:iq xmlns:c='jabber:client' xmlns='urn:other' type='set'><x __proto__='1'/><c:y/></c:iq>",
  )
  const stanza = Stanza.of(tree)
  t.equal(stanza.kind, 'iq')
  t.ok(stanza.has('x', 'urn:other'))
  t.ok(stanza.has('y', 'jabber:client'))
  t.equal(stanza.content, "<x xmlns='urn:other' __proto__='1'/><c:y/>")
  t.equal(tree.children.length, 2)
  t.equal(Stanza.of(xml('iq', 'jabber:server', xml('q'))).children[0]!.xmlns, 'jabber:client')
})

test('parse reads what render wrote', async (t) => {
  const stanza = readOne(RICH)
  const again = Stanza.parse(stanza.render('a@b', 'c@d', '<more/>'))
  t.match(again, { kind: 'message', type: 'chat', id: '<é>', from: 'a@b', to: 'c@d', lang: 'en' })
  t.equal(again.children.length, 5)
  t.equal(again.text('body'), stanza.text('body'))
  t.equal(serialize(again.child('mark', 'urn:p')!), serialize(stanza.child('mark', 'urn:p')!))
})

test('the text that goes to many is the same for each but for the address, whoever it was made for before', async (t) => {
  const parts = { to: undefined, from: undefined, lang: '', type: '', id: '' }
  for (const content of ['', '<body>é</body>'].map(toWire)) {
    const stanza = new Stanza({
      ...{ ...parts, kind: 'message', attributes: " type='groupchat'", content, children: [] },
    })
    const expected = (from: string, to: string) =>
      `<message type='groupchat' from='${from}' to='${to}'` +
      (content === '' ? '/>' : `>${content}</message>`)
    for (const from of ['o@r/a', 'o@r/a', 'o@r/b', 'o@r/a'])
      for (const to of ['a@x', 'b@x', 'c@x']) t.equal(stanza.render(from, to), expected(from, to))
    t.equal(stanza.render('', 'b@x'), expected('', 'b@x').replace(" from=''", ''))
    t.equal(stanza.render('o@r/a', 'b@x', '<m/>').includes('<m/></message>'), true)
  }
})
