// What waits for a client: its size, and the mark of lateness (XEP-0203).

import { test } from 'tap'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { late, sizeOf } from '../../lib/xmpp/held-back.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

const arrived = Date.UTC(2026, 0, 1)
const BY = 'capulet.example'
const OURS = `<delay xmlns='urn:xmpp:delay' from='${BY}' stamp='2026-01-01T00:00:00.000Z'/>`

function envelope(text: string): Envelope {
  const from = Jid.parse('romeo@montague.example')
  const to = Jid.parse('juliet@capulet.example')
  return new Envelope({ stanza: Stanza.parse(text), from, to, origin: 'server', arrived })
}

test('who has waited says since when (XEP-0203 §2)', (t) => {
  t.equal(late(envelope('<message><body>x</body></message>'), BY).annotations, OURS)
  t.end()
})

test('that others have delayed it says nothing of our own delay (XEP-0203 §2)', (t) => {
  const theirs = "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z'/>"
  t.equal(late(envelope(`<message>${theirs}</message>`), BY).annotations, OURS)
  t.end()
})

test('it is said once, and never of presence', (t) => {
  const once = late(envelope('<message/>'), BY)
  t.equal(late(once, BY), once)
  const presence = envelope('<presence/>')
  t.equal(late(presence, BY), presence)
  t.end()
})

test('text counts as often as it is in memory', (t) => {
  const short = envelope('<message/>')
  const long = envelope(`<message><body>${'x'.repeat(1000)}</body></message>`)
  const text = sizeOf(long, 1) - sizeOf(short, 1)
  t.ok(text >= 1000)
  t.equal(sizeOf(long, 2) - sizeOf(short, 2), 2 * text)
  t.end()
})
