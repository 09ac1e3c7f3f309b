// A stanza that is read from its text is the same as one that was read from a tree, with and without what
// the short way leaves to that.

import { test } from 'tap'
import { type Element, toWire } from '../../lib/xmpp/element.js'
import { NS_CLIENT } from '../../lib/xmpp/namespaces.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { indexChildren } from '../../lib/xmpp/stanza-children.js'
import { partsOf } from '../../lib/xmpp/stanza-text.js'
import { NO_PREFIXES, parseTree } from '../../lib/xmpp/tree.js'

const PLAIN = [
  '<presence/>',
  "<presence type='probe' id='é'/>",
  "<message type='chat' id='&lt;1&gt;' xml:lang='en'><body>hi</body></message>",
  "<message to='juliet@im.example' from='romeo@im.example/$&' type='chat'><body>&amp; é</body></message>",
  `<message id="it's > that"><body xml:lang='de'>a &gt; b > c</body>text<active xmlns='urn:chat'/></message>`,
  "<message><x xmlns='urn:a' a='/>'><x/><y a=\"</x>\"/></x><p:z xmlns:p='urn:p'><p:in/></p:z></message>",
  "<message><x id='1' xmlns='urn:&amp;b'/><ü xmlns='urn:ü'/><y a='1' xmlns=\"urn:c\" ></y></message>",
  "<iq type='result' id='1'><query xmlns='jabber:iq:roster'><item jid='a@b'/></query></iq>",
]

const RARE = [
  "<message xmlns='jabber:client'><body>hi</body></message>",
  "<message xmlns:p='urn:p'><p:x/></message>",
  "<message n1='1'><body/></message>",
  ' <message><body/></message>',
]

const seen = ({ kind, type, id, lang, to, from, ...rest }: Stanza) => ({
  ...{ kind, type, id, lang, to, from },
  children: rest.children.map(({ name, xmlns, start, end }) => {
    const child = parseTree(rest.content.slice(start, end), {
      xmlns: NS_CLIENT,
      prefixes: NO_PREFIXES,
    })
    return { name, xmlns, text: texts(child) }
  }),
})

const texts = (element: Element): unknown => [element.name, element.attrs, element.getText()]

test('from its text or from a tree, it is the same', async (t) => {
  for (const text of PLAIN.map(toWire)) {
    const short = partsOf(text)
    t.ok(short, text)
    t.strictSame(seen(new Stanza(short!)), seen(Stanza.of(parseTree(text))), text)
    t.equal(Stanza.parse(text).content, short!.content, 'as it was written')
  }
})

test('attributes are kept but for addresses, and once more rendered it is the same', async (t) => {
  const stanza = Stanza.parse("<message to='a@b' id='1' from='c@d' type='chat'><body/></message>")
  t.equal(stanza.attributes, " id='1' type='chat'")
  t.equal(stanza.render('c@d', ''), "<message id='1' type='chat' from='c@d'><body/></message>")
})

test('what is rare is left to the tree', async (t) => {
  for (const text of RARE) {
    t.equal(partsOf(text), undefined, text)
    t.equal(Stanza.parse(text).kind, 'message')
  }
})

test('text that was cut ends in an error, wherever', async (t) => {
  const whole = PLAIN[4]!
  for (let length = 0; length < whole.length; length++)
    t.throws(() => Stanza.parse(whole.slice(0, length)), `${length}`)
  for (const content of ['<a', "<a b='", '<a>', '<a><b></b>', '<![CDATA[', '<a><!'])
    t.throws(() => indexChildren(content, { xmlns: NS_CLIENT, prefixes: NO_PREFIXES }), content)
})
