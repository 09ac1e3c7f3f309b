// What of a message can be searched for.

import { test } from 'tap'
import { bodyText } from '../../lib/xmpp/message-text.js'
import { readOne } from '../net/xml-recorder.js'

const read = (content: string) =>
  bodyText(readOne(Buffer.from(`<message type='chat'>${content}</message>`).toString('utf8')))
const reply = "<reply xmlns='urn:xmpp:reply:0' id='1'/>"
const fallback = (parts = '') =>
  `<fallback xmlns='urn:xmpp:fallback:0' for='urn:x'>${parts}</fallback>`

test('the words are those of the body, decoded (RFC 6121 §5.2.3)', async (t) => {
  t.equal(read('<body>Ay me! &lt;3 é</body>'), 'Ay me! <3 é')
  t.equal(read('<subject>Love</subject>'), undefined)
  t.equal(read('<body/>'), undefined)
  t.equal(read('<body> \n </body>'), undefined)
  t.equal(read("<body xmlns='urn:other'>no</body>"), undefined)
})

test('bodies in several languages are all words (RFC 6121 §5.2.3)', async (t) => {
  const text = read(
    "<body xml:lang='en'>Wherefore</body><x xmlns='urn:x'/><body xml:lang='cs'>Pročež</body>",
  )
  t.equal(text, 'Wherefore\nPročež')
})

test('nothing of what is encrypted (XEP-0384, XEP-0380, XEP-0364)', async (t) => {
  const body = '<body>I sent you an encrypted message</body>'
  for (const cipher of [
    "<encrypted xmlns='eu.siacs.conversations.axolotl'><payload>x</payload></encrypted>",
    "<encrypted xmlns='urn:xmpp:omemo:2'/>",
    "<openpgp xmlns='urn:xmpp:openpgp:0'>x</openpgp>",
    "<x xmlns='jabber:x:encrypted'>x</x>",
    "<encryption xmlns='urn:xmpp:eme:0' namespace='urn:xmpp:otr:0'/>",
  ])
    t.equal(read(body + cipher), undefined)
  t.equal(read('<body>?OTR:AAMD</body>'), undefined)
})

test('a body that only stands in for something is left out (XEP-0428 §2.2)', async (t) => {
  t.equal(read(`<body>retracted</body>${fallback()}`), undefined)
  t.equal(read(`<body>retracted</body>${fallback('<body/>')}`), undefined)
  t.equal(read(`<body>wave</body>${fallback("<body start='0' end='4'/>")}`), undefined)
  t.equal(read(`<body>wave</body>${fallback("<body start='0'/>")}`), undefined)
  t.equal(
    read(`<body>wave</body>${fallback("<body end='2'/><body start='2' end='99'/>")}`),
    undefined,
  )
})

test('a part that stands in is cut out, counted in code points (XEP-0428 §2.2, XEP-0426 §3)', async (t) => {
  const quoted = '&gt;👋Anna\n👋Great 👍'
  t.equal(
    read(`<body>${quoted}</body>${reply}${fallback("<body start='0' end='8'/>")}`),
    'Great 👍',
  )
  const regions = "<body start='4' end='6'/><body start='1' end='2'/><body start='1' end='5'/>"
  t.equal(read(`<body>abcdefgh</body>${fallback(regions)}`), 'agh')
})

test('regions that make no sense take nothing (XEP-0428 §2.2)', async (t) => {
  t.equal(read(`<body>words</body>${fallback("<body start='4' end='1'/>")}`), 'words')
  t.equal(read(`<body>words</body>${fallback("<body start='9999999999' end='1'/>")}`), 'words')
  t.equal(read(`<body>words</body>${fallback('<subject/>')}`), 'words')
  t.equal(read("<body>words</body><fallback xmlns='urn:other'/>"), 'words')
})
