// Trees to text: what is written is what was meant, and nothing that XML cannot carry.

import { test } from 'tap'
import fc from 'fast-check'
import {
  type Element,
  elements,
  escapeXml,
  fromWire,
  serialize,
  toWire,
  xml,
} from '../../lib/xmpp/element.js'
import { parseTree } from '../../lib/xmpp/tree.js'

test('names, attributes, children and text are written; what is undefined is left out', async (t) => {
  const element = xml(
    'a',
    { xmlns: 'urn:a', b: '1', c: undefined },
    'x',
    undefined,
    xml('d', 'urn:d'),
  )
  t.equal(serialize(element), "<a xmlns='urn:a' b='1'>x<d xmlns='urn:d'/></a>")
  t.equal(serialize(xml('a')), '<a/>')
})

test('what would be markup is escaped; white space in attributes is kept (XML 1.0 §3.3.3)', async (t) => {
  t.equal(
    serialize(xml('a', { b: `<&>"'\t\n\r` }, `<&>]]>\r\n"'`)),
    "<a b='&lt;&amp;&gt;&quot;&apos;&#x9;&#xA;&#xD;'>&lt;&amp;&gt;]]&gt;&#xD;\n\"'</a>",
  )
  t.equal(escapeXml('nothing to do'), 'nothing to do')
})

test('what XML cannot carry is removed (XML 1.0 §2.2)', async (t) => {
  const wrong = 'a\u0000\u0008\u000b\u001f\ufffe\uffff\ud800b\udc00c\ud83d\ufffe\ude00d'
  t.equal(serialize(xml('a', { b: wrong }, wrong)), "<a b='abcd'>abcd</a>")
  t.equal(fromWire(serialize(xml('a', {}, '\u{1f339}\t\n\u0085'))), '<a>\u{1f339}\t\n\u0085</a>')
})

test('wire text is UTF-8, one character a byte, there and back', async (t) => {
  t.equal(toWire('é'), '\u00c3\u00a9')
  t.equal(toWire('plain'), 'plain')
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fromWire(toWire(text)) === text))
  t.ok(/^[\u0000-\u00ff]*$/.test(serialize(xml('a', {}, '\u{1f339}'))))
})

const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/gu
const words = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replace(ILLEGAL, ''))
const names = fc.constantFrom('a', 'b', 'body', 'x-y', '_z')
const attributes = fc.dictionary(fc.constantFrom('p', 'q', 'xml:lang'), words)
const { tree } = fc.letrec<{ tree: Element }>((tie) => ({
  tree: fc
    .tuple(
      names,
      attributes,
      fc.oneof(
        { maxDepth: 3 },
        words.map((text) => [text]),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    )
    .map(([name, given, children]) => xml(name, { ...given }, ...children)),
}))

function plain(element: Element): unknown {
  const children = element.children.map((child) =>
    typeof child === 'string' ? child : plain(child as Element),
  )
  return [element.name, { ...element.attrs }, children.filter((child) => child !== '')]
}

test('what is written is read back as the same tree', async (t) => {
  fc.assert(
    fc.property(tree, (element) => {
      t.same(plain(parseTree(serialize(element))), plain(element))
    }),
    { numRuns: 300 },
  )
})

test('child elements come without the text between them', async (t) => {
  const element = xml('a', {}, 'x', xml('b'), 'y', xml('c'))
  t.same(
    elements(element).map(({ name }) => name),
    ['b', 'c'],
  )
})
