// Answers: results and errors (RFC 6120 §8.2.3, §8.3).

import { test } from 'tap'
import { xml } from '../../lib/xmpp/element.js'
import { type StanzaCondition, StanzaError } from '../../lib/xmpp/errors.js'
import { errorOf, errorReply, mayBeAnsweredByError, resultReply } from '../../lib/xmpp/replies.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

const request = Stanza.of(
  xml('iq', { type: 'get', id: '7', to: 'a@x.example' }, xml('q', 'urn:example:q')),
)

test('a result has the id of the request, and its child if any (RFC 6120 §8.2.3)', async (t) => {
  t.equal(resultReply(request).render('', ''), "<iq type='result' id='7'/>")
  t.equal(
    resultReply(request, xml('q', 'urn:example:q')).render('', ''),
    "<iq type='result' id='7'><q xmlns='urn:example:q'/></iq>",
  )
})

test('an error has the kind and id of the stanza, a type, a condition and more (RFC 6120 §8.3.2)', async (t) => {
  const more = { type: 'wait', application: { name: 'too-many', xmlns: 'urn:example:e' } } as const
  const error = errorReply(request, new StanzaError('not-allowed', 'no <more>', more))
  t.equal(
    error.render('', ''),
    "<iq type='error' id='7'><error type='wait'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>no &lt;more&gt;</text><too-many xmlns='urn:example:e'/></error></iq>",
  )
  const message = errorReply(Stanza.of(xml('message', {}, xml('body'))), new StanzaError('gone'))
  t.match(message.render('', ''), /^<message type='error'><error type='cancel'><gone /)
})

test('each condition has its own type unless another is given (RFC 6120 §8.3.3)', async (t) => {
  const types: [StanzaCondition, string][] = [
    ['bad-request', 'modify'],
    ['conflict', 'cancel'],
    ['forbidden', 'auth'],
    ['item-not-found', 'cancel'],
    ['jid-malformed', 'modify'],
    ['not-authorized', 'auth'],
    ['registration-required', 'auth'],
    ['remote-server-not-found', 'cancel'],
    ['remote-server-timeout', 'wait'],
    ['resource-constraint', 'wait'],
    ['service-unavailable', 'cancel'],
  ]
  for (const [condition, type] of types) t.equal(new StanzaError(condition).type, type, condition)
})

test('what an error says can be read again', async (t) => {
  const sent = new StanzaError('forbidden', 'not you', { type: 'wait' })
  t.match(errorOf(errorReply(request, sent)), {
    condition: 'forbidden',
    text: 'not you',
    type: 'wait',
  })
  const strange = [
    xml('iq', { type: 'error', id: '1' }),
    xml('iq', { type: 'error', id: '1' }, xml('error', { type: 'odd' }, xml('forbidden', 'urn:x'))),
    xml(
      'iq',
      { type: 'error' },
      xml('error', {}, xml('toString', 'urn:ietf:params:xml:ns:xmpp-stanzas')),
    ),
  ]
  for (const element of strange)
    t.match(errorOf(Stanza.of(element)), { condition: 'undefined-condition', type: 'cancel' })
})

test('errors and answers are never answered with an error (RFC 6120 §8.3.1)', async (t) => {
  const may = (kind: string, type?: string) => mayBeAnsweredByError(Stanza.of(xml(kind, { type })))
  for (const kind of ['message', 'presence', 'iq']) t.notOk(may(kind, 'error'))
  t.notOk(may('iq', 'result'))
  t.ok(may('iq', 'get') && may('iq', 'set') && may('iq', 'odd') && may('iq'))
  t.ok(may('message') && may('presence', 'subscribe'))
})
