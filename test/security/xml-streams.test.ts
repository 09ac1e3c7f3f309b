// Hostile XML, through sockets. Every input byte by byte is the matter of test/net; here the whole
// server is seen to end the stream and to go on with everybody else.

import { test } from 'tap'
import { hostile } from '../net/hostile-corpus.js'
import { collectGarbage } from '../net/xml-recorder.js'
import { outcomeOf, type Way } from './driver.js'
import { DOMAIN, overBoth, serve } from './served.js'

const STREAM = "xmlns:stream='http://etherx.jabber.org/streams'"
const message = (content: string, more = '') =>
  `<message xmlns='jabber:client' to='juliet@${DOMAIN}'${more}>${content}</message>`

const forbidden: Record<string, string> = {
  'a document type': '<!DOCTYPE x [<!ENTITY lol "lol"><!ENTITY ha "&lol;&lol;&lol;">]>',
  'a processing instruction': '<?pi?>',
  'a comment': '<!-- -->',
  'an entity declaration': '<!ENTITY x "y">',
}

overBoth('SEC-01: what a stream may not hold ends it, wherever it stands', async (t, way) => {
  const house = await serve(t)
  const juliet = await house.logsIn(way, 'juliet')
  juliet.peer.sends('<presence/>')
  for (const [what, text] of Object.entries(forbidden)) {
    const early = await house.connects(way)
    early.raw(text)
    t.equal(await early.condition(), 'restricted-xml', `${what} instead of a header`)
    const { peer } = await house.stranger(way)
    peer.raw(text)
    t.equal(await peer.condition(), 'restricted-xml', `${what} before login`)
    const romeo = await house.logsIn(way, 'romeo')
    romeo.peer.raw(message(text))
    t.equal(await romeo.peer.condition(), 'restricted-xml', `${what} inside a stanza`)
  }
  const romeo = await house.logsIn(way, 'romeo')
  romeo.peer.raw(message('<body>&foo;</body>'))
  t.equal(await romeo.peer.condition(), 'restricted-xml', 'an entity of its own')
  t.ok(await house.answers(juliet))
  t.notOk(juliet.peer.inbox.some((element) => element.is('message')))
})

test('SEC-01: cut anywhere it is the same; over TCP', async (t) => {
  const house = await serve(t)
  const header = `<stream:stream xmlns='jabber:client' ${STREAM} version='1.0' to='${DOMAIN}'>`
  for (const text of Object.values(forbidden)) {
    for (let cut = 1; cut < text.length; cut += 3) {
      const peer = await house.connects('TCP')
      peer.raw(header + text.slice(0, cut))
      await peer.finds('stream')
      peer.raw(text.slice(cut))
      t.equal(await peer.condition(), 'restricted-xml')
    }
  }
})

const attributes = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}=''`).join('')
const namespaces = (count: number) =>
  Array.from({ length: count }, (_, i) => ` xmlns:n${i}='urn:${i}'`).join('')

const costly: Record<string, string> = {
  '65 elements': `<x xmlns='urn:x'>${'<a/>'.repeat(64)}</x>`,
  '8 KiB of elements': `<x xmlns='urn:x'>${'<a/>'.repeat(2048)}</x>`,
  'eleven levels': `<x xmlns='urn:x'>${'<a>'.repeat(10)}${'</a>'.repeat(10)}</x>`,
  '65 attributes': `<x xmlns='urn:x'${attributes(64)}/>`,
  '1500 attributes': `<x xmlns='urn:x'${attributes(1500)}/>`,
  '600 namespaces': `<x xmlns='urn:x'${namespaces(600)}/>`,
  'a long name': `<x${'x'.repeat(1024)} xmlns='urn:x'/>`,
  'more than 16 KiB': `<x xmlns='urn:x'>${'x'.repeat(16_384)}</x>`,
}

overBoth('SEC-02: before login little may be sent, in every measure', async (t, way) => {
  const house = await serve(t)
  for (const [what, text] of Object.entries(costly)) {
    const { peer } = await house.stranger(way)
    peer.raw(text)
    t.equal(await peer.condition(), 'policy-violation', what)
  }
})

test('SEC-02: two hundred strangers with half a stanza each cost 30 bytes a byte at most', async (t) => {
  const house = await serve(t)
  const half = `<x xmlns='urn:x'>${"<a b='c'>text</a>".repeat(60)}${'x'.repeat(15_000)}`
  const peers = await Promise.all(
    Array.from({ length: 200 }, async () => (await house.stranger('TCP')).peer),
  )
  const before = held()
  for (const peer of peers) peer.raw(half)
  await until(() => peers.every(({ socket }) => socket.writableLength === 0))
  // The server has read what it was sent when it answers somebody who spoke later.
  const last = await house.stranger('TCP')
  const each = (held() - before) / peers.length
  t.ok(each < 30 * half.length, `${Math.round(each)} bytes for ${half.length}`)
  for (const peer of [...peers, last.peer]) peer.drop()
  await house.emptied()
  t.equal(house.server.streams.size, 0)
})

function held(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

const endless: Record<string, { start: string; filler: string }> = {
  'a start tag': { start: "<message xmlns='jabber:client'", filler: ' ' },
  'an attribute': { start: "<message xmlns='jabber:client' id='", filler: 'x' },
  text: { start: "<message xmlns='jabber:client'>", filler: 'x' },
  CDATA: { start: "<message xmlns='jabber:client'><![CDATA[", filler: 'x' },
}

overBoth('SEC-04: what never ends is cut off at the limit', async (t, way) => {
  const house = await serve(t)
  for (const [what, { start, filler }] of Object.entries(endless)) {
    const { peer } = await house.stranger(way)
    peer.raw(start + filler.repeat(16_384))
    t.equal(await peer.condition(), 'policy-violation', `${what}, before login`)
    const romeo = await house.logsIn(way, 'romeo')
    romeo.peer.raw(start + filler.repeat(262_144))
    t.equal(await romeo.peer.condition(), 'policy-violation', `${what}, after login`)
  }
})

const NO_UTF8 = 1007

/** What is sent in place of a header or after one makes no difference to a message of a WebSocket. */
function textOf({ place, input }: (typeof hostile)[number], way: Way): Buffer {
  const stanza = `<message xmlns='jabber:client' ${STREAM} to='juliet@${DOMAIN}'>${input}</message>`
  const text = way === 'TCP' ? `<message to='juliet@${DOMAIN}'>${input}</message>` : stanza
  return Buffer.from(place === 'stanza' ? text : input, 'latin1')
}

overBoth(
  'SEC-06: nothing of a hostile stanza reaches anybody, and who sent it is gone',
  async (t, way) => {
    const house = await serve(t)
    const juliet = await house.logsIn(way, 'juliet')
    juliet.peer.sends('<presence/>')
    const inputs = hostile.filter(({ place }) => place === 'stanza')
    t.ok(inputs.length >= 150, `${inputs.length} inputs`)
    for (const item of inputs) {
      const romeo = await house.logsIn(way, 'romeo')
      romeo.peer.raw(textOf(item, way))
      const condition = await romeo.peer.condition()
      // RFC 6455 §8.1: a message that is no UTF-8 ends the WebSocket itself.
      if (romeo.peer.closeCode === NO_UTF8) continue
      if (condition !== item.condition)
        t.equal(condition, item.condition, JSON.stringify(item.input))
    }
    t.ok(await house.answers(juliet))
    t.notOk(juliet.peer.inbox.some((element) => element.is('message')))
  },
)

/** Text inside of a message, and the names of the children that it makes. */
const odd: [text: string, children: string[]][] = [
  ["<body>]]&gt;</body><x:y xmlns:x='jabber:client'/>", ['body', 'x:y']],
  ["<x xmlns='urn:a'><y xmlns=''><z xmlns='urn:b'/></y></x>", ['x']],
  ["<p:x xmlns:p='urn:a'><p:y xmlns:p='urn:b' p:z='1'/></p:x>", ['p:x']],
  ['<body><![CDATA[</message><presence/>]]></body>', ['body']],
  ["<x xmlns='urn:a' b='&lt;/message>&#10;&quot;'/>", ['x']],
  ["<stream xmlns='urn:a'/><error xmlns='urn:b'/>", ['stream', 'error']],
  ['<body>\u{1f339} \u00e9 e\u0301 \u2028</body>', ['body']],
]

overBoth(
  'SEC-06: what is delivered is one stanza with the same tree to another parser',
  async (t, way) => {
    const house = await serve(t)
    const [romeo, juliet] = await Promise.all([
      house.logsIn(way, 'romeo'),
      house.logsIn(way === 'TCP' ? 'WebSocket' : 'TCP', 'juliet'),
    ])
    for (const [at, [text, children]] of odd.entries()) {
      romeo.peer.sends(`<message to='${juliet.jid}' id='${at}'>${text}</message>`)
      const got = await juliet.peer.next()
      t.equal(got?.attrs.id, String(at))
      // What is durable has our own id beside it.
      const names = got?.getChildElements().map(({ name }) => name)
      t.same(
        names?.filter((name) => name !== 'stanza-id'),
        children,
      )
    }
    t.ok(await house.answers(juliet))
    t.equal(juliet.peer.inbox.length, 0)
  },
)

const noAddress = [
  'a@b@c',
  `@${DOMAIN}`,
  `a b@${DOMAIN}`,
  `romeo@${DOMAIN}/`,
  `\u0378@${DOMAIN}`,
  `\u05d0a\u05d0b@${DOMAIN}`,
  `${'x'.repeat(1024)}@${DOMAIN}`,
  `juliet@${'x'.repeat(64)}.example`,
  `juliet@${DOMAIN}/\u200b\ud7ff\u0007`.replace('\u0007', '\u0080'),
  `<&>"'@${DOMAIN}`,
]

overBoth(
  'SEC-07: an address that is none stays with who wrote it (RFC 6120 §8.3.3.8)',
  async (t, way) => {
    const house = await serve(t)
    const [romeo, juliet] = await Promise.all([
      house.logsIn(way, 'romeo'),
      house.logsIn(way, 'juliet'),
    ])
    for (const address of noAddress) {
      const quoted = address
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll("'", '&apos;')
      romeo.peer.sends(`<message to='${quoted}' id='odd'><body>?</body></message>`)
      const answer = await romeo.peer.next()
      t.equal(answer && outcomeOf(answer), 'jid-malformed', JSON.stringify(address.slice(0, 40)))
      const asked = await romeo.peer.asks('get', quoted, "<ping xmlns='urn:xmpp:ping'/>")
      t.equal(outcomeOf(asked), 'jid-malformed')
    }
    t.ok(await house.answers(juliet))
    t.equal(juliet.peer.inbox.length, 0)
  },
)

overBoth('SEC-07: half a character by reference is no XML', async (t, way) => {
  const house = await serve(t)
  for (const reference of ['&#xD800;', '&#xDFFF;', '&#xFFFE;', '&#0;', '&#x110000;']) {
    const { peer } = await house.logsIn(way, 'romeo')
    peer.raw(message('', ` id='${reference}'`))
    t.equal(await peer.condition(), 'not-well-formed', reference)
  }
})
