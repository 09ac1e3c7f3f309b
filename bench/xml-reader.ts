// How long the strict reading of a stanza takes: from bytes to an indexed Stanza, alone and with
// rendering. Run it on an idle machine: node build/bench/xml-reader.js

import { authenticatedLimits } from '../lib/net/xml-limits.js'
import { XmlReader, type XmlSink } from '../lib/net/xml-reader.js'
import type { Stanza } from '../lib/xmpp/stanza.js'

const HEADER =
  "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>"
const BODY = 'But soft, what light through yonder window breaks? It is the east, and Juliet is'

const plain = `<message to='juliet@localhost/balcony' type='chat' id='3f2a9c10'><body>${BODY}</body></message>`
const rich =
  `<message to='juliet@localhost/balcony' type='chat' id='3f2a9c10-7b1d'><body>${BODY}</body>` +
  "<active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/>" +
  "<markable xmlns='urn:xmpp:chat-markers:0'/><origin-id xmlns='urn:xmpp:sid:0' id='3f2a9c10-7b1d'/></message>"
const wide = `<message to='juliet@localhost/balcony' type='chat' id='3f2a9c10'><body>${'Но тише, что за свет блеснул в окне? '.repeat(2)}</body></message>`

/** Short and many, and the best counts: whatever else the machine does falls between them. */
const ROUNDS = 400

class Counter implements XmlSink {
  stanzas = 0
  characters = 0
  rendering = false
  opened(): void {}
  element(): void {}
  closed(): void {}
  stanza(stanza: Stanza): void {
    this.stanzas++
    if (!this.rendering) return
    const wire = stanza.render('romeo@localhost/orchard', 'juliet@localhost/balcony')
    this.characters += wire.length + wire.charCodeAt(wire.length >> 1)
  }
}

function measure(name: string, text: string, rendering: boolean): void {
  const counter = new Counter()
  const reader = new XmlReader(counter, {
    framing: 'stream',
    content: 'jabber:client',
    limits: authenticatedLimits,
  })
  reader.write(Buffer.from(HEADER))
  counter.rendering = rendering
  const stanza = Buffer.from(text)
  const chunk = Buffer.concat(new Array<Buffer>(4).fill(stanza))
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const before = counter.stanzas
    const start = process.hrtime.bigint()
    for (let i = 0; i < 1000; i++) reader.write(chunk)
    const time = Number(process.hrtime.bigint() - start)
    best = Math.min(best, time / (counter.stanzas - before))
  }
  const micros = (best / 1000).toFixed(3)
  console.log(`${name}: ${stanza.length} bytes, ${micros} µs${rendering ? ' with render' : ''}`)
}

for (const rendering of [false, true]) {
  measure('plain', plain, rendering)
  measure('rich', rich, rendering)
  measure('cyrillic', wide, rendering)
}
