// Two parsers must not disagree: ours and saxes read the same generated and mutated documents, and
// what we forward means to saxes what the sender's text meant (SEC-06).

import fc from 'fast-check'
import { test } from 'tap'
import { parseXml } from '../../lib/net/xml-document.js'
import { elements, serialize } from '../../lib/xmpp/element.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import { document, pieces, stanza } from './xml-generators.js'
import { expanded, HEADER, readOne } from './xml-recorder.js'
import { type Opinion, secondOpinion } from './xml-saxes.js'

const SEED = 20261121

function ours(text: string): Opinion {
  try {
    return expanded(parseXml(Buffer.from(text))) as Opinion
  } catch (error) {
    if (!(error instanceof StreamError)) throw error
    return error.condition === 'restricted-xml' ? 'restricted' : 'malformed'
  }
}

const canonical = (opinion: unknown) => JSON.stringify(sorted(opinion))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .map(([key, inner]) => [key, sorted(inner)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}

test('a document means the same to saxes (SEC-06)', async (t) => {
  fc.assert(
    fc.property(document, (text) => {
      const opinion = ours(text)
      if (typeof opinion === 'string') throw new Error(`refused: ${opinion}`)
      return canonical(opinion) === canonical(secondOpinion(text))
    }),
    { seed: SEED, numRuns: 1000 },
  )
  t.pass()
})

const mutation = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.constantFrom(0, 0, 0, 0, 1, 2, 8),
  insert: fc.oneof(
    fc.constantFrom('x', ' ', '\n', '&amp;', '&#x41;', '\u00e9'),
    fc.constantFrom('', ...pieces),
  ),
})

function mutated(
  text: string,
  { at, remove, insert }: { at: number; remove: number; insert: string },
): string {
  const start = Math.floor(at * text.length)
  return text.slice(0, start) + insert + text.slice(start + remove)
}

test('a mutated document is refused by both or means the same to both (SEC-06)', async (t) => {
  let accepted = 0
  let refused = 0
  fc.assert(
    fc.property(document, fc.array(mutation, { minLength: 1, maxLength: 2 }), (text, mutations) => {
      const input = Buffer.from(mutations.reduce(mutated, text)).toString()
      const opinion = ours(input)
      if (opinion === 'restricted') return true
      const other = secondOpinion(input)
      if (typeof opinion === 'string') refused++
      else accepted++
      if (typeof opinion === 'string' || typeof other === 'string') return opinion === other
      return canonical(opinion) === canonical(other)
    }),
    { seed: SEED, numRuns: 4000 },
  )
  t.ok(accepted > 200 && refused > 200, `${accepted} accepted, ${refused} refused`)
})

const DECLARING = HEADER.replace("to='", "xmlns:p='urn:p' xmlns:q='urn:q' to='")

/** Under a stream header that declares nothing but the usual. */
function asForwarded(wire: string): unknown {
  return onlyChild(secondOpinion(`${HEADER}${Buffer.from(wire, 'latin1')}</stream:stream>`))
}

function onlyChild(opinion: Opinion): unknown {
  if (typeof opinion === 'string') throw new Error(opinion)
  return opinion.children[0]
}

test('what is forwarded means to saxes what the sender wrote (SEC-06; RFC 6120 §4.8.4)', async (t) => {
  fc.assert(
    fc.property(stanza, (text) => {
      const sent = onlyChild(secondOpinion(`${DECLARING}${text}</stream:stream>`))
      const read = readOne(text, {}, DECLARING)
      const wire = read.render('', '')
      return (
        canonical(sent) === canonical(asForwarded(wire)) &&
        canonical(sent) === canonical(expanded(read.element))
      )
    }),
    { seed: SEED, numRuns: 1500 },
  )
  t.pass()
})

test('reading what was rendered gives the same stanza again', async (t) => {
  fc.assert(
    fc.property(stanza, (text) => {
      const first = readOne(text, {}, DECLARING)
      const again = readOne(Buffer.from(first.render('', ''), 'latin1'))
      return (
        again.content === first.content &&
        again.attributes === first.attributes &&
        JSON.stringify(again.children) === JSON.stringify(first.children)
      )
    }),
    { seed: SEED, numRuns: 500 },
  )
  t.pass()
})

test('the index, each child and the tree agree', async (t) => {
  fc.assert(
    fc.property(stanza, (text) => {
      const read = readOne(text, {}, DECLARING)
      const whole = expanded(read.element) as { children: unknown[] }
      const inner = whole.children.filter((child) => typeof child !== 'string')
      return read.children.every((child, i) => {
        const first = read.children.findIndex(
          (c) => c.name === child.name && c.xmlns === child.xmlns,
        )
        const tree = read.child(child.name, child.xmlns)!
        return (
          canonical(expanded(tree, 'jabber:client')) === canonical(inner[first]) &&
          elements(read.element)[i]!.getName() === child.name
        )
      })
    }),
    { seed: SEED, numRuns: 500 },
  )
  t.pass()
})

test('a tree made of a stanza, and a stanza made of a tree, mean the same', async (t) => {
  fc.assert(
    fc.property(stanza, (text) => {
      const read = readOne(text, {}, DECLARING)
      const again = readOne(Buffer.from(serialize(read.element), 'latin1'))
      return canonical(expanded(again.element)) === canonical(expanded(read.element))
    }),
    { seed: SEED, numRuns: 500 },
  )
  t.pass()
})
