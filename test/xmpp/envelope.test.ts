// A stanza with the addresses we trust.

import { test } from 'tap'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

const romeo = Jid.parse('romeo@capulet.example/phone')
const juliet = Jid.parse('juliet@capulet.example')
const envelope = new Envelope({
  stanza: Stanza.parse(
    "<message from='forged@x.example' to='x' id='1'><body>hist</body></message>",
  ),
  from: romeo,
  to: juliet,
  origin: 'client',
  arrived: 7,
})

test('the text has the addresses that are trusted, not those that were written', async (t) => {
  t.equal(
    envelope.wire,
    "<message id='1' from='romeo@capulet.example/phone' to='juliet@capulet.example'><body>hist</body></message>",
  )
  t.match(envelope.wireFor('jabber:client'), /^<message xmlns='jabber:client' id='1' from=/)
})

test('the text is made once, however many get it', async (t) => {
  let made = 0
  const stanza = Object.create(envelope.stanza, {
    render: {
      value: (...given: Parameters<Stanza['render']>) => {
        made++
        return envelope.stanza.render(...given)
      },
    },
  }) as Stanza
  const counted = envelope.with({ stanza })
  t.equal(counted.wire, counted.wire)
  t.equal(made, 1)
})

test('a change makes another envelope; the first is as it was', async (t) => {
  const changed = envelope.with({ to: romeo, addressed: false })
  t.same([changed.to.text, changed.addressed, changed.arrived], [romeo.text, false, 7])
  t.equal(changed.stanza, envelope.stanza)
  t.same([envelope.to, envelope.addressed], [juliet, true])
})

test('an annotation is shown, kept by changes, and no part of the stanza', async (t) => {
  const noted = envelope.annotated('<a/>').annotated('<b/>')
  t.match(noted.wire, /<body>hist<\/body><a\/><b\/><\/message>$/)
  t.equal(noted.with({ to: romeo }).annotations, '<a/><b/>')
  t.equal(noted.stanza, envelope.stanza)
  t.notMatch(envelope.wire, /<a\/>/)
})
