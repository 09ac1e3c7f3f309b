// One child of each kind that a message may have, with the bit that it sets, and how else the same
// child, or one that only looks like it, may be written.

import fc from 'fast-check'
import { NS_MUC_USER, trait } from '../../lib/xmpp/message-children.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'
import { readOne } from '../net/xml-recorder.js'

export interface Sample {
  readonly name: string
  readonly xmlns: string
  readonly bits: number
  readonly attributes?: string
  readonly content?: string
}

const sample = (bits: number, name: string, xmlns: string, more: Partial<Sample> = {}): Sample => ({
  ...{ bits, name, xmlns },
  ...more,
})
const id = { attributes: " id='m1'" }
const room = (child: string): Partial<Sample> => ({ content: `<${child} xmlns='${NS_MUC_USER}'/>` })

export const samples = {
  body: sample(trait.body, 'body', 'jabber:client', { content: 'Ay me!' }),
  subject: sample(trait.subject, 'subject', 'jabber:client', { content: 'Love' }),
  thread: sample(0, 'thread', 'jabber:client', { content: 'act2scene2' }),
  composing: sample(trait.chatState, 'composing', 'http://jabber.org/protocol/chatstates'),
  originId: sample(trait.originId, 'origin-id', 'urn:xmpp:sid:0', { attributes: " id='o1'" }),
  request: sample(0, 'request', 'urn:xmpp:receipts'),
  receipt: sample(trait.receipt, 'received', 'urn:xmpp:receipts', id),
  markable: sample(0, 'markable', 'urn:xmpp:chat-markers:0'),
  displayed: sample(trait.marker, 'displayed', 'urn:xmpp:chat-markers:0', id),
  acknowledged: sample(trait.marker, 'acknowledged', 'urn:xmpp:chat-markers:0', id),
  reactions: sample(trait.reactions, 'reactions', 'urn:xmpp:reactions:0', {
    ...id,
    content: "<reaction xmlns='urn:xmpp:reactions:0'>👋</reaction>",
  }),
  retraction: sample(trait.retraction, 'retract', 'urn:xmpp:message-retract:1', id),
  correction: sample(trait.correction, 'replace', 'urn:xmpp:message-correct:0', id),
  reply: sample(trait.reply, 'reply', 'urn:xmpp:reply:0', id),
  fallback: sample(trait.fallback, 'fallback', 'urn:xmpp:fallback:0'),
  omemo: sample(trait.encrypted, 'encrypted', 'urn:xmpp:omemo:2', {
    content:
      "<header xmlns='urn:xmpp:omemo:2' sid='1'/><payload xmlns='urn:xmpp:omemo:2'>b</payload>",
  }),
  oldOmemo: sample(trait.encrypted, 'encrypted', 'eu.siacs.conversations.axolotl', {
    content: "<o:payload xmlns:o='eu.siacs.conversations.axolotl'>b</o:payload>",
  }),
  keys: sample(trait.encrypted, 'encrypted', 'urn:xmpp:omemo:2', {
    content: "<header xmlns='urn:xmpp:omemo:2' sid='1'>b</header>",
  }),
  openpgp: sample(trait.encrypted, 'openpgp', 'urn:xmpp:openpgp:0', { content: 'b' }),
  oldPgp: sample(trait.encrypted, 'x', 'jabber:x:encrypted', { content: 'b' }),
  cipher: sample(trait.encrypted, 'encryption', 'urn:xmpp:eme:0', { attributes: " namespace='x'" }),
  link: sample(trait.attachment, 'x', 'jabber:x:oob', {
    content: "<url xmlns='jabber:x:oob'>h</url>",
  }),
  file: sample(trait.attachment, 'file-sharing', 'urn:xmpp:sfs:0'),
  sticker: sample(trait.attachment, 'sticker', 'urn:xmpp:stickers:0'),
  propose: sample(trait.call, 'propose', 'urn:xmpp:jingle-message:0', { attributes: " id='c1'" }),
  finish: sample(trait.call, 'finish', 'urn:xmpp:jingle-message:0', { attributes: " id='c1'" }),
  callInvite: sample(trait.call, 'invite', 'urn:xmpp:call-invites:0'),
  directInvite: sample(trait.invitation, 'x', 'jabber:x:conference', { attributes: " jid='r@c'" }),
  mediatedInvite: sample(trait.invitation | trait.room, 'x', NS_MUC_USER, room('invite')),
  decline: sample(trait.declined | trait.room, 'x', NS_MUC_USER, room('decline')),
  room: sample(trait.room, 'x', NS_MUC_USER),
  store: sample(trait.store, 'store', 'urn:xmpp:hints'),
  noStore: sample(trait.noStore, 'no-store', 'urn:xmpp:hints'),
  noPermanentStore: sample(trait.noPermanentStore, 'no-permanent-store', 'urn:xmpp:hints'),
  noCopy: sample(trait.noCopy, 'no-copy', 'urn:xmpp:hints'),
  private: sample(trait.private, 'private', 'urn:xmpp:carbons:2'),
  carbon: sample(trait.wrapper, 'received', 'urn:xmpp:carbons:2'),
  ownCarbon: sample(trait.wrapper, 'sent', 'urn:xmpp:carbons:2'),
  result: sample(trait.wrapper, 'result', 'urn:xmpp:mam:2', { attributes: " id='a1'" }),
  event: sample(trait.event, 'event', 'http://jabber.org/protocol/pubsub#event'),
  unknown: sample(trait.other, 'x', 'urn:example:unknown'),
} satisfies Record<string, Sample>

export type SampleName = keyof typeof samples

export function written({ name, xmlns, attributes = '', content }: Sample): string {
  const declared = xmlns === 'jabber:client' ? '' : ` xmlns='${xmlns}'`
  const head = `<${name}${declared}${attributes}`
  return content === undefined ? `${head}/>` : `${head}>${content}</${name}>`
}

/** A message of this type ('' for none) with these children. */
export function message(type: string, ...names: SampleName[]): Stanza {
  return given(type, names.map((name) => written(samples[name])).join(''))
}

export function given(type: string, content: string, attributes = ''): Stanza {
  const declared = type === '' ? '' : ` type='${type}'`
  return readOne(`<message${declared}${attributes}>${content}</message>`)
}

/** The same child under a prefix of its own, or of the root's. */
function prefixed({ name, xmlns, attributes = '', content = '' }: Sample, prefix: string): string {
  const declared = prefix === 'own' ? ` xmlns:own='${xmlns}'` : ''
  return `<${prefix}:${name}${declared}${attributes}>${content}</${prefix}:${name}>`
}

/** What looks like it and is not. */
const disguises: readonly ((one: Sample) => string)[] = [
  (one) => `<x xmlns='urn:example:unknown'>${written(one)}</x>`,
  (one) => written({ ...one, xmlns: `${one.xmlns}#` }),
  (one) => written({ ...one, xmlns: one.xmlns.toUpperCase() }),
  (one) => `<own:${one.name} xmlns:own='urn:example:unknown' a="${one.xmlns}"/>`,
  (one) => `<x xmlns='urn:example:unknown'><![CDATA[${written(one)}]]></x>`,
  (one) => `<x xmlns='urn:example:unknown' ${one.name}='${one.xmlns}'/>`,
  (one) => `${one.name} ${one.xmlns}`,
]

export interface Composed {
  readonly content: string
  readonly attributes: string
  readonly bits: number
}

const every: readonly Sample[] = Object.values(samples)

/** Children in any order and writing, between others that only look like some. */
export const composed: fc.Arbitrary<Composed> = fc
  .array(
    fc.record({
      one: fc.nat(every.length - 1),
      way: fc.constantFrom('plain', 'own', 'root', ...disguises),
    }),
    { maxLength: 8 },
  )
  .map((parts) => {
    let [content, attributes, bits] = ['', '', 0]
    for (const [i, { one, way }] of parts.entries()) {
      const it = every[one]!
      if (typeof way === 'function') content += way(it)
      else {
        bits |= it.bits
        if (way === 'root') attributes += ` xmlns:r${i}='${it.xmlns}'`
        content += way === 'plain' ? written(it) : prefixed(it, way === 'own' ? 'own' : `r${i}`)
      }
    }
    return { content, attributes, bits }
  })
