// What a device sends again, and what it reads and writes.

import { test } from 'tap'
import { Outbox } from './outbox.js'
import { attribute, bodyOf, decode, encode, said, stanzaId } from './stanza-text.js'

const message = (mid: string) => ({ mid, to: 'juliet@localhost', text: `<message id='${mid}'/>` })

function filled(): Outbox {
  const outbox = new Outbox('a#1')
  outbox.put({ text: '<presence/>' })
  for (const mid of ['m1', 'm2', 'm3']) outbox.put(message(mid))
  return outbox
}

test('exactly the first h stanzas are acknowledged (XEP-0198 §4)', async (t) => {
  const outbox = filled()
  outbox.acknowledge(2)
  t.same(
    outbox.items.map(({ mid, position }) => [mid, position]),
    [
      ['m2', 3],
      ['m3', 4],
    ],
  )
  outbox.acknowledge(2)
  outbox.acknowledge(1)
  outbox.acknowledge(9)
  t.equal(outbox.items.length, 2, 'a count that makes no sense changes nothing')
  t.equal(outbox.messages, 2)
})

test('a new stream carries the messages that are left, in order, at new positions', async (t) => {
  const outbox = filled()
  outbox.acknowledge(2)
  outbox.renew('a#2', 'id', 'counted')
  outbox.put({ text: '<presence/>' })
  t.same(
    outbox.waiting.map(({ mid }) => mid),
    ['m2', 'm3'],
  )
  t.equal(outbox.messages, 2)
  outbox.renew('a#3', 'id', 'uncounted')
  t.same(
    outbox.waiting.map(({ mid }) => mid),
    ['m2', 'm3'],
    'also where that one broke at once',
  )
  for (const item of outbox.waiting) outbox.put({ mid: item.mid!, text: item.text })
  t.same(
    outbox.items.map(({ position }) => position),
    [1, 2],
  )
})

test('a body names its message, and any change in it is seen', async (t) => {
  for (let number = 0; number < 500; number++) {
    const mid = `u1a-${number}`
    const body = `<body>${encode(bodyOf(mid))}</body>`
    t.same(said(`<message>${body}</message>`), { mid, sound: true })
    t.same(said(`<message>${body.replace('|', '')}</message>`), { mid, sound: false })
    t.equal(Buffer.from(bodyOf(mid), 'latin1').toString().includes('\ufffd'), false)
  }
})

test('attributes and entities are read in any form', async (t) => {
  t.equal(attribute(`<a b="1" c='2'/>`, 'c'), '2')
  t.equal(attribute(`<a xb='1'/>`, 'b'), undefined)
  t.equal(decode('&lt;&#38;&#x27;&quot;'), `<&'"`)
  t.equal(decode('&#xe9;'), Buffer.from('é').toString('latin1'))
})

test("an archive's id is the one by its owner (XEP-0359 §3)", async (t) => {
  const other = `<stanza-id xmlns='urn:xmpp:sid:0' id='1' by='tybalt@localhost'/>`
  const own = `<stanza-id by="juliet@localhost" id="2" xmlns="urn:xmpp:sid:0"/>`
  t.equal(stanzaId(`<message>${other}${own}</message>`, 'juliet@localhost'), '2')
  t.equal(stanzaId(`<message>${other}</message>`, 'juliet@localhost'), undefined)
})
