// Times as text (XEP-0082 §3.2), late stanzas (XEP-0203) and forwarded ones (XEP-0297).

import { test } from 'tap'
import fc from 'fast-check'
import { delayed, readStamp, stampOf } from '../../lib/xmpp/delay.js'
import { forwarded } from '../../lib/xmpp/forwarding.js'
import { parseTree } from '../../lib/xmpp/tree.js'
import { hostileText } from './hostile-text.js'

const MOON = Date.UTC(1969, 6, 21, 2, 56, 15)

test('a stamp is UTC with milliseconds (XEP-0082 §3.2, XEP-0203 §2)', async (t) => {
  t.equal(stampOf(MOON), '1969-07-21T02:56:15.000Z')
  t.equal(stampOf(Date.UTC(2002, 8, 10, 23, 8, 25, 7)), '2002-09-10T23:08:25.007Z')
})

test('both examples of the specification are one moment (XEP-0082 §3.2)', async (t) => {
  t.equal(readStamp('1969-07-21T02:56:15Z'), MOON)
  t.equal(readStamp('1969-07-20T21:56:15-05:00'), MOON)
})

test('fractions and offsets are read; what is finer than a millisecond is cut off', async (t) => {
  t.equal(readStamp('1969-07-21T02:56:15.5Z'), MOON + 500)
  t.equal(readStamp('1969-07-21T02:56:15.0010009999Z'), MOON + 1)
  t.equal(stampOf(MOON + 1.5), '1969-07-21T02:56:15.001500Z')
  t.equal(readStamp('1969-07-21T02:56:15.001500Z'), MOON + 1)
  t.equal(readStamp('1969-07-21T02:56:15+00:00'), MOON)
  t.equal(readStamp('1969-07-21T16:56:15+14:00'), MOON)
  t.equal(readStamp('1969-07-21T08:26:15.25+05:30'), MOON + 250)
  t.equal(readStamp('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29))
  t.equal(readStamp('0000-01-01T00:00:00Z'), Date.parse('0000-01-01T00:00:00Z'))
})

test('any time comes back from its stamp', async (t) => {
  const latest = Date.parse('9999-12-31T23:59:59.999Z')
  const time = fc.integer({ min: Date.parse('0000-01-01T00:00:00Z'), max: latest })
  fc.assert(fc.property(time, (given) => readStamp(stampOf(given)) === given))
  fc.assert(fc.property(time, (given) => stampOf(given) === new Date(given).toISOString()))
  t.pass()
})

test('what is no moment is refused (SEC-63)', async (t) => {
  const wrong = [
    ...['', 'Z', 'now', 'NaN', '0', '1e3', '1700000000000', "' OR 1=1 --", '1969-07-21'],
    ...['1969-07-21T02:56:15', '19690721T02:56:15', '1969-07-21T02:56:15z', '1969-07-21t02:56:15Z'],
    ...['1969-07-21 02:56:15Z', ' 1969-07-21T02:56:15Z', '1969-07-21T02:56:15Z\n'],
    ...['1969-07-21T02:56:15Z\0', '1969-07-21T02:56Z', '1969-07-21T02:56:15.Z'],
    ...['1969-07-21T02:56:15,5Z', '1969-13-21T02:56:15Z', '1969-00-21T02:56:15Z'],
    ...['1969-07-32T02:56:15Z', '2023-02-29T00:00:00Z', '2021-02-31T00:00:00Z'],
    ...['1969-07-21T24:00:00Z', '1969-07-21T25:56:15Z', '1969-07-21T02:60:15Z'],
    ...['1969-07-21T02:56:60Z', '1969-07-21T02:56:15+5:00', '1969-07-21T02:56:15+0500'],
    ...['1969-07-21T02:56:15+14:01', '1969-07-21T02:56:15+99:00', '1969-07-21T02:56:15+05:60'],
    ...['-0001-07-21T02:56:15Z', '+010000-01-01T00:00:00Z', '12345-07-21T02:56:15Z'],
    ...['0000-01-01T00:00:00+00:01', '9999-12-31T23:59:59-00:01'],
    ...['１９６９-07-21T02:56:15Z', `1969-07-21T02:56:15.${'9'.repeat(1 << 20)}Z`],
  ]
  for (const text of wrong) t.equal(readStamp(text), undefined, JSON.stringify(text.slice(0, 40)))
  const near = hostileText(6).map((text) => `1969-07-21T02:56:15${text}`)
  fc.assert(
    fc.property(near, (text) => {
      const time = readStamp(text)
      return time === undefined || Number.isSafeInteger(time)
    }),
  )
})

test('a late stanza says since when, and who kept it (XEP-0203 §2)', async (t) => {
  const { name, attrs } = parseTree(delayed(MOON, 'o&apos;neill@im.example'))
  t.equal(name, 'delay')
  t.same(
    { ...attrs },
    {
      xmlns: 'urn:xmpp:delay',
      from: "o'neill@im.example",
      stamp: '1969-07-21T02:56:15.000Z',
    },
  )
  t.notOk('from' in parseTree(delayed(MOON)).attrs)
})

test('a forwarded stanza keeps its namespace, and has its delay before it (XEP-0297 §3)', async (t) => {
  const stanza = "<message xmlns='jabber:client' id='1'><body>Ay me!</body></message>"
  const tree = parseTree(forwarded(stanza, MOON))
  t.equal(tree.getNS(), 'urn:xmpp:forward:0')
  t.equal(tree.getChild('delay', 'urn:xmpp:delay')!.attrs.stamp, stampOf(MOON))
  const within = tree.getChild('message', 'jabber:client')!
  t.equal(within.getChildText('body', 'jabber:client'), 'Ay me!')
  t.equal(forwarded(stanza), `<forwarded xmlns='urn:xmpp:forward:0'>${stanza}</forwarded>`)
})
