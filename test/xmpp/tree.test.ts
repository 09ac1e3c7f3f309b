// Trees from text that is known to be well-formed.

import { test } from 'tap'
import { serialize } from '../../lib/xmpp/element.js'
import { decodeAttribute, decodeText, parseTree } from '../../lib/xmpp/tree.js'

const tree = (text: string) => parseTree(Buffer.from(text).toString('latin1'))

test('elements, attributes and text become a tree', async (t) => {
  const root = tree(`<?xml version='1.0'?>\n<a b = "1"\n c='"é"' ><d/>x<e >y</e\n></a>`)
  t.equal(root.name, 'a')
  t.same(root.attrs, { b: '1', c: '"é"' })
  t.equal(root.getChildText('e'), 'y')
  t.equal(root.getText(), 'x')
  t.equal(root.getChild('d')!.parent, root)
})

test('the five entities, character references and CDATA are decoded, once (XML 1.0 §4.1, §2.7)', async (t) => {
  const root = tree(
    "<a b='&#x27;&quot;&#38;amp;'>&lt;&gt;&amp;lt;&#x1F44B;<![CDATA[&lt;]]>]<![CDATA[]]>!</a>",
  )
  t.equal(root.attrs.b, '\'"&amp;')
  t.same(root.children, ['<>&lt;👋&lt;]!'])
})

test('line ends and white space in attributes are normalised (XML 1.0 §2.11, §3.3.3)', async (t) => {
  const root = tree("<a b='1\r\n2\n3\t4&#10;5'>x\r\ny\rz&#13;<![CDATA[\r\n]]></a>")
  t.equal(root.attrs.b, '1 2 3 4\n5')
  t.equal(root.getText(), 'x\ny\nz\r\n')
  t.equal(decodeText('\r\r\n'), '\n\n')
  t.equal(decodeAttribute('\r\r\n'), '  ')
})

test('a root takes from its scope what it needs, and declares it', async (t) => {
  const scope = {
    xmlns: 'jabber:client',
    prefixes: new Map([
      ['p', 'urn:p'],
      ['q', 'urn:q'],
    ]),
  }
  const plain = parseTree('<a><p:b/></a>', scope)
  t.same(plain.attrs, { xmlns: 'jabber:client', 'xmlns:p': 'urn:p' })
  t.equal(plain.getChild('b')!.getNS(), 'urn:p')
  t.same(parseTree("<p:a xmlns:p='urn:own'/>", scope).attrs, { 'xmlns:p': 'urn:own' })
  t.same(parseTree("<a xmlns='urn:own'/>", scope).attrs, { xmlns: 'urn:own' })
})

test('a name that every object has is an attribute like others', async (t) => {
  const root = tree("<a __proto__='1' constructor='2'/>")
  t.same(Object.keys(root.attrs), ['__proto__', 'constructor'])
  t.equal(serialize(root), "<a __proto__='1' constructor='2'/>")
})

test('a deep tree needs no deep stack', async (t) => {
  let element = tree('<a>'.repeat(50_000) + '</a>'.repeat(50_000))
  let depth = 1
  while (element.children.length > 0) {
    element = element.children[0] as typeof element
    depth++
  }
  t.equal(depth, 50_000)
})

test('text that is cut anywhere is an error, not an endless loop', (t) => {
  const whole = "<a xmlns='urn:x' b = 'c'><d>text &amp; more</d><![CDATA[x]]><e f='g'/></a>"
  for (let end = 0; end < whole.length; end++)
    t.throws(() => parseTree(whole.slice(0, end)), whole.slice(0, end))
  t.ok(parseTree(whole))
  t.end()
})
