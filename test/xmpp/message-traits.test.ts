// What a message is, and what is done with it: for every kind of child, alone and together.

import { test } from 'tap'
import fc from 'fast-check'
import { xml } from '../../lib/xmpp/element.js'
import {
  countsAsUnread,
  isDurable,
  isDurableInRoom,
  isOnlyChatState,
  isUrgent,
  keptForGood,
  keptForGoodInRoom,
  mayBeCopied,
  trait,
  traitsOf,
} from '../../lib/xmpp/message-traits.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { readOne } from '../net/xml-recorder.js'
import { composed, given, message, type SampleName, samples } from './message-samples.js'

const all = Object.keys(samples) as SampleName[]
const which = (holds: (name: SampleName) => boolean): SampleName[] => all.filter(holds)

test('every kind of child sets its own bits, and the type one (RFC 6121 §5.2.2)', async (t) => {
  for (const name of all) t.equal(traitsOf(message('chat', name)), trait.chat | samples[name].bits)
  for (const type of ['chat', 'groupchat', 'headline', 'error', 'normal'] as const)
    t.equal(traitsOf(message(type)), trait[type])
  for (const type of ['', 'CHAT', 'urn:x', '__proto__', 'constructor'])
    t.equal(traitsOf(message(type)), trait.normal)
  t.equal(traitsOf(readOne("<presence type='error'/>")), 0)
  t.equal(traitsOf(readOne("<iq type='get' id='1'><body/></iq>")), 0)
})

test('names of the language itself are children like others', async (t) => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.equal(traitsOf(given('chat', `<${name}/>`)), trait.chat | trait.other)
    t.equal(traitsOf(given('chat', `<x xmlns='${name}'/>`)), trait.chat | trait.other)
    t.equal(
      traitsOf(given('chat', `<${name} xmlns='urn:xmpp:receipts'/>`)),
      trait.chat | trait.other,
    )
  }
})

test('prefixes do not hide a child, and nothing passes for one (XML namespaces §6)', async (t) => {
  fc.assert(
    fc.property(composed, ({ content, attributes, bits }) => {
      const stanza = given('chat', content, attributes)
      const again = Stanza.parse(stanza.render('a@b', 'c@d'))
      const ofTree = Stanza.of(stanza.element)
      const expected = bits | trait.chat | trait.other | trait.declined | trait.invitation
      const found = stanza.traits | trait.other | trait.declined | trait.invitation
      return found === expected && again.traits === stanza.traits && ofTree.traits === stanza.traits
    }),
    { numRuns: 1000 },
  )
  t.pass()
})

test('a changed stanza has the traits of what it has become', async (t) => {
  const stanza = message('chat', 'body')
  t.equal(stanza.traits, trait.chat | trait.body)
  const changed = stanza.with({ type: 'error', append: "<store xmlns='urn:xmpp:hints'/>" })
  t.equal(changed.traits, trait.error | trait.body | trait.store)
  t.equal(changed.without(({ name }) => name === 'body').traits, trait.error | trait.store)
  t.equal(stanza.traits, trait.chat | trait.body)
})

const KEPT: SampleName[] = [
  ...(['body', 'subject', 'receipt', 'displayed', 'acknowledged', 'reactions'] as const),
  ...(['retraction', 'correction', 'omemo', 'oldOmemo', 'keys', 'openpgp'] as const),
  ...(['oldPgp', 'cipher', 'link', 'file', 'sticker', 'propose', 'finish', 'callInvite'] as const),
  ...(['directInvite', 'mediatedInvite', 'decline', 'store'] as const),
]

test('what is said, and what changes what was said, is durable (XEP-0313 §6.1.1, XEP-0334 §4.4)', async (t) => {
  for (const type of ['chat', 'normal', ''])
    t.same(
      which((name) => isDurable(message(type, name))),
      KEPT,
    )
  t.same(
    which((name) => isDurable(message('chat', 'composing', 'originId', name))),
    KEPT,
  )
})

test('no-store is obeyed, and forwarded messages of others are not ours to keep (XEP-0334 §4.2)', async (t) => {
  for (const never of ['noStore', 'carbon', 'ownCarbon', 'result'] as const) {
    t.same(
      which((name) => isDurable(message('chat', name, 'body', 'store', never))),
      [],
    )
  }
})

test('headlines are not kept, what a room says is for the room (XEP-0313 §6.1.1, §6.1.2)', async (t) => {
  t.same(
    which((name) => isDurable(message('headline', name)) || isDurable(message('groupchat', name))),
    [],
  )
  t.same(
    which((name) => isDurableInRoom(message('groupchat', name))),
    KEPT,
  )
  t.same(
    which((name) => isDurableInRoom(message('chat', name))),
    [],
  )
  t.notOk(isDurableInRoom(message('groupchat', 'body', 'noStore')))
})

const bounced = (...names: SampleName[]) => message('error', ...names).with({ id: 'm1' })

test('an error is kept that says which message failed; hints in it do not count (XEP-0334 §5)', async (t) => {
  t.ok(isDurable(bounced()))
  t.ok(isDurable(bounced('body', 'noStore')))
  t.ok(keptForGood(bounced('body', 'noPermanentStore')))
  t.notOk(isDurable(message('error', 'body')), 'not without an id')
  t.notOk(isDurable(bounced('composing', 'store')), 'not where a chat state failed')
  t.ok(isDurable(bounced('composing', 'body')))
  t.notOk(isDurable(bounced('carbon')))
})

test('what must not stay is durable all the same (XEP-0334 §4.1)', async (t) => {
  t.ok(keptForGood(message('chat', 'body')))
  t.ok(isDurable(message('chat', 'body', 'noPermanentStore')))
  t.notOk(keptForGood(message('chat', 'body', 'noPermanentStore')))
  t.notOk(keptForGood(message('chat', 'composing')))
  t.ok(keptForGoodInRoom(message('groupchat', 'body')))
  t.notOk(keptForGoodInRoom(message('groupchat', 'body', 'noPermanentStore')))
})

test('what is new to its reader is unread', async (t) => {
  for (const type of ['chat', '', 'groupchat'])
    t.same(
      which((name) => countsAsUnread(message(type, name))),
      ['body', 'omemo', 'oldOmemo', 'openpgp', 'oldPgp'],
    )
  t.same(
    which((name) => !countsAsUnread(message('chat', 'body', name))),
    ['reactions', 'retraction', 'correction', 'carbon', 'ownCarbon', 'result'],
  )
  for (const type of ['error', 'headline']) t.notOk(countsAsUnread(message(type, 'body')))
})

test('an encrypted message without content is not unread (XEP-0384 §5.5.3)', async (t) => {
  t.notOk(countsAsUnread(message('chat', 'keys', 'cipher')))
  t.ok(countsAsUnread(message('chat', 'keys', 'body')))
  t.ok(countsAsUnread(message('chat', 'cipher', 'omemo')))
})

const sent = (stanza: Stanza): boolean => mayBeCopied(stanza, 'sent')
const received = (stanza: Stanza): boolean => mayBeCopied(stanza, 'received')

test('chat is copied, normal messages if they are conversation (XEP-0280 §6.1)', async (t) => {
  for (const copied of [sent, received]) {
    t.ok(copied(message('chat')))
    t.same(
      which((name) => copied(message('', name))),
      [
        ...(['body', 'composing', 'receipt', 'displayed', 'acknowledged'] as const),
        ...(['directInvite', 'mediatedInvite'] as const),
      ],
    )
    t.notOk(copied(message('headline', 'body')))
    t.ok(copied(message('headline', 'receipt')), 'by what it carries')
  }
})

test('a private message is not copied (XEP-0280 §6.1, §9; XEP-0334 §4.3)', async (t) => {
  for (const copied of [sent, received])
    for (const hint of ['private', 'noCopy'] as const) {
      t.same(
        which((name) => copied(message('chat', 'body', name, hint))),
        [],
      )
    }
})

test('rooms replicate what they say themselves; invitations are copied (XEP-0280 §6.1)', async (t) => {
  t.same(
    which((name) => sent(message('groupchat', 'body', name))),
    [],
  )
  t.ok(sent(message('chat', 'body', 'room')), 'a private message to an occupant')
  t.notOk(received(message('chat', 'body', 'room')), 'from an occupant')
  t.notOk(received(message('', 'composing', 'room')))
  t.ok(received(message('', 'mediatedInvite')))
  t.ok(received(message('chat', 'room', 'directInvite')))
})

test('an error is copied where it may answer what was copied (XEP-0280 §6.1)', async (t) => {
  for (const copied of [sent, received]) {
    t.ok(copied(bounced()))
    t.ok(copied(bounced('body', 'noCopy')), 'hints in it do not count (XEP-0334 §5)')
    t.notOk(copied(message('error', 'body')))
    t.notOk(copied(bounced('private')))
    t.notOk(copied(bounced('room')))
  }
})

test('copies are not copied', async (t) => {
  for (const name of ['carbon', 'ownCarbon', 'result'] as const) {
    t.notOk(sent(message('chat', name)))
    t.notOk(received(message('chat', 'body', name)))
  }
})

test('what is encrypted says so', async (t) => {
  t.same(
    which((name) => (traitsOf(message('chat', name)) & trait.encrypted) !== 0),
    ['omemo', 'oldOmemo', 'keys', 'openpgp', 'oldPgp', 'cipher'],
  )
})

test('a chat state alone may have ids, a thread and hints with it (XEP-0085 §2, §5.6)', async (t) => {
  t.same(
    which((name) => isOnlyChatState(message('chat', name))),
    ['composing'],
  )
  t.same(
    which((name) => isOnlyChatState(message('chat', 'composing', name))),
    [
      ...(['thread', 'composing', 'originId', 'request', 'markable', 'room', 'store'] as const),
      ...(['noStore', 'noPermanentStore', 'noCopy', 'private'] as const),
    ],
  )
  t.ok(isOnlyChatState(message('groupchat', 'composing')))
  t.notOk(isOnlyChatState(message('error', 'composing')))
})

test('what can wait does, whatever else goes at once (XEP-0352 §3.2)', async (t) => {
  t.same(
    which((name) => isUrgent(message('chat', name))),
    [
      ...(['body', 'subject', 'correction', 'omemo', 'oldOmemo', 'keys', 'openpgp'] as const),
      ...(['oldPgp', 'cipher', 'link', 'file', 'sticker', 'propose', 'finish'] as const),
      ...(['callInvite', 'directInvite', 'mediatedInvite', 'decline'] as const),
      ...(['carbon', 'result', 'unknown'] as const),
    ],
  )
  t.notOk(isUrgent(message('chat')))
  t.notOk(isUrgent(message('headline', 'body')))
  t.ok(isUrgent(message('error')))
  t.ok(isUrgent(message('groupchat', 'body')))
  t.notOk(isUrgent(message('chat', 'body', 'fallback', 'reactions')))
  t.notOk(isUrgent(message('chat', 'body', 'fallback', 'retraction')))
  t.notOk(isUrgent(readOne("<presence type='subscribe'/>")))
})

function carbon(direction: Direction, within: Stanza): Stanza {
  const forwarded = xml('forwarded', 'urn:xmpp:forward:0', within.element)
  return Stanza.of(
    xml('message', { type: 'chat' }, xml(direction, 'urn:xmpp:carbons:2', forwarded)),
  )
}
type Direction = 'sent' | 'received'

test('a copy is as urgent as what it is a copy of, and not if it is our own (XEP-0280 §7, §8)', async (t) => {
  t.ok(isUrgent(carbon('received', message('chat', 'body'))))
  t.notOk(isUrgent(carbon('received', message('chat', 'composing'))))
  t.notOk(isUrgent(carbon('sent', message('chat', 'body'))))
  t.ok(isUrgent(carbon('received', carbon('received', message('chat')))), 'looked into once')
})
