// The contract of the message log: however long an archive is, one question reads a bounded part of it.

import { test } from 'tap'
import { KEPT, OUTGOING } from '../../lib/storage/logged-message.js'
import { peerKey } from '../../lib/storage/message-log.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { addressOf, answer, type Book, juliet, type OpenBook, romeo } from './message-book.js'

const LABEL = 7
const CHUNK = 2000

/** Rows of the index that are older than all messages; the oldest has the label and a message. */
async function older({ database }: Book, count: number): Promise<void> {
  const peer = peerKey(addressOf.juliet)
  const flags = KEPT | OUTGOING
  for (let first = 1; first <= count; first += CHUNK) {
    const ids = Array.from({ length: Math.min(CHUNK, count + 1 - first) }, (_, at) => first + at)
    const rows = ids.map((id) => ({ owner: romeo, id, peer, flags, label: id === 1 ? LABEL : 0 }))
    await database.write([{ insert: 'archive', rows }])
  }
  const sides = { sender: romeo, recipient: null, sender_flags: flags, recipient_flags: 0 }
  const words = { sent_by: '', sent_to: addressOf.juliet.text, label: LABEL, text: 'old' }
  const peers = database.kind === 'sqlite' ? { from_peer: 0, to_peer: peer } : {}
  await database.write([{ insert: 'messages', rows: [{ id: 1, ...sides, ...words, ...peers }] }])
}

export function boundsContract(name: string, open: OpenBook): void {
  test(`${name}: an id is looked for among the newest 20,000 of a conversation (XEP-0490 §5)`, async (t) => {
    const book = await open(t)
    const { log, say } = book
    await older(book, 19_999)
    await say({ text: 'new' })
    await log.indexed()
    const label = { owner: romeo, peer: addressOf.juliet, label: LABEL }
    const texts = async () => (await log.labelled(label)).map(({ text }) => text)
    t.strictSame(await texts(), ['old'])
    await say({ text: 'newer' })
    await log.indexed()
    t.strictSame(await texts(), [], 'ignored, as if it had never been there')
  })

  test(`${name}: a page ends with the message that makes it too long`, async (t) => {
    const { sayAll, log } = await open(t)
    await sayAll(['a', 'b', 'c', 'd'].map((letter) => ({ text: letter.repeat(1000) })))
    const read = async (query: object) => {
      const { messages, complete } = await log.page({ owner: juliet, limit: 10, ...query })
      return [messages.map(({ text }) => text[0]).join(''), complete]
    }
    for (const peer of [{}, { peer: Jid.parse('romeo@montague.lit/orchard') }]) {
      t.strictSame(await read({ ...peer, mostText: 1500 }), ['ab', false])
      t.strictSame(await read({ ...peer, mostText: 1500, backwards: true }), ['cd', false])
      t.strictSame(await read({ ...peer, mostText: 3500 }), ['abcd', true])
      t.strictSame(await read({ ...peer, mostText: 10 }), ['a', false])
    }
  })

  test(`${name}: of a long conversation with two devices a page reads little`, async (t) => {
    const { sayAll, log } = await open(t, { journal: { group: 2000 } })
    const device = (at: number) => `juliet@capulet.lit/${at % 8 === 0 ? 'tomb' : 'balcony'}`
    const many = Array.from({ length: 1600 }, (_, at) => ({
      ...answer,
      text: `${at}`,
      from: device(at),
    }))
    await sayAll(many)
    await log.indexed()
    let texts = 0
    const { parse } = Jid
    t.teardown(() => {
      Jid.parse = parse
    })
    // Whoever a text is from is asked of each that was read.
    Jid.parse = (text) => {
      texts++
      return parse.call(Jid, text)
    }
    const peer = parse.call(Jid, 'juliet@capulet.lit/tomb')
    const { messages } = await log.page({ owner: romeo, peer, limit: 50 })
    t.equal(messages.length, 50)
    t.ok(texts < 700, `${texts} of 1600`)
  })
}
