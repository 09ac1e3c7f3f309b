// Random XML as text, in every way of writing that is allowed on a stream, for property tests.

import fc from 'fast-check'

interface Node {
  name: string
  attributes: [string, string][]
  children: (Node | string)[]
}

const locals = [
  'body',
  'x',
  'query',
  'item',
  'é',
  'a-b.c_1',
  'message',
  'Привет',
  '_',
  'delay',
  '__proto__',
  'constructor',
]
const prefixes = ['', '', '', '', 'p', 'q', 'c', 'xml']
const uris = ['jabber:client', 'urn:x', 'urn:&apos;y', 'jabber:iq:roster', 'urn:&#xe9;', 'urn:é']

const texts = fc.constantFrom(
  'hi',
  ' ',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '&amp;',
  '&lt;',
  '&#x1F44B;',
  '&#10;',
  '&#13;',
  ']]',
  '>',
  '"',
  "'",
  'Привет',
  '👋',
  '\u00a0',
  '\ufffd',
  'A',
  '\u007f',
  '&apos;&quot;&gt;',
)
const text = fc
  .array(texts, { maxLength: 4 })
  .map((parts) => parts.join('').replace(/\]\]>/g, ']] >'))
const cdata = fc
  .constantFrom('', 'x', '<b>', '&amp;', ']', ']]', '>', '\r\n', 'é<>&')
  .map((inner) => `<![CDATA[${inner}]]>`)

const value = fc
  .tuple(fc.constantFrom("'", '"'), fc.array(texts, { maxLength: 3 }))
  .map(
    ([quote, parts]) =>
      `${quote}${parts.join('').replaceAll(quote, quote === "'" ? '&apos;' : '&quot;')}${quote}`,
  )

const space = fc.constantFrom(' ', ' ', ' ', '  ', '\n', '\t')
const equals = fc.constantFrom('=', '=', '=', ' = ', '=\n')
const end = fc.constantFrom('', '', '', ' ', '\n')

const attribute = fc
  .tuple(
    space,
    fc.constantFrom('a', 'b', 'type', 'é', 'xml:lang', 'xml:space', 'hasOwnProperty'),
    equals,
    value,
  )
  .map(([before, name, sign, content]): [string, string] => [
    name,
    `${before}${name}${sign}${content}`,
  ])

const declaration = fc
  .tuple(
    fc.constantFrom('xmlns', 'xmlns:p', 'xmlns:q', 'xmlns:c'),
    fc.constantFrom(...uris),
    equals,
  )
  .map(([name, uri, sign]): [string, string] => [name, ` ${name}${sign}"${uri}"`])

const { node } = fc.letrec<{ node: Node; child: Node | string }>((tie) => ({
  child: fc.oneof({ maxDepth: 4, depthSize: 'small' }, text, cdata, tie('node')),
  node: fc.record({
    name: fc
      .tuple(fc.constantFrom(...prefixes), fc.constantFrom(...locals))
      .map(([prefix, local]) => (prefix ? `${prefix}:${local}` : local)),
    attributes: fc.uniqueArray(fc.oneof(attribute, attribute, declaration), {
      maxLength: 4,
      selector: ([name]) => name,
    }),
    children: fc.array(tie('child'), { maxLength: 4 }),
  }),
}))

/** Written out; a prefix that nothing around declares is declared where it is used. */
function write(element: Node, known: ReadonlySet<string>, tail: string): string {
  const declared = element.attributes
    .map(([name]) => name)
    .filter((name) => name.startsWith('xmlns:'))
  const scope = new Set([...known, ...declared.map((name) => name.slice(6))])
  let attributes = element.attributes.map(([, written]) => written).join('')
  const colon = element.name.indexOf(':')
  const prefix = element.name.slice(0, Math.max(colon, 0))
  if (prefix && !scope.has(prefix)) {
    attributes += ` xmlns:${prefix}='urn:${prefix}'`
    scope.add(prefix)
  }
  const children = element.children.map((child) =>
    typeof child === 'string' ? child : write(child, scope, tail),
  )
  const content = children
    .join('')
    .replace(/\]\]>(?<!<!\[CDATA\[[^<]*\]\]>|\[CDATA\[<b>\]\]>|\[CDATA\[é<>&\]\]>)/g, ']] >')
  if (content === '') return `<${element.name}${attributes}${tail}/>`
  return `<${element.name}${attributes}${tail}>${content}</${element.name}${tail}>`
}

/** An element by itself. */
export const document: fc.Arbitrary<string> = fc
  .tuple(node, end)
  .map(([element, tail]) => write(element, new Set(['xml']), tail))

/** A stanza on a stream whose header declares `p` and `q`. */
export const stanza: fc.Arbitrary<string> = fc
  .tuple(node, fc.constantFrom('message', 'presence', 'iq'), end)
  .map(([element, kind, tail]) => {
    const attributes = element.attributes.filter(([name]) => name !== 'xmlns')
    return write({ ...element, name: kind, attributes }, new Set(['xml', 'p', 'q']), tail)
  })

/** Pieces that a mutation puts into a text. */
export const pieces: readonly string[] = [
  '<',
  '>',
  '/',
  '&',
  ';',
  "'",
  '"',
  '=',
  ':',
  '!',
  '?',
  '[',
  ']',
  ']]>',
  '<![CDATA[',
  '</',
  '/>',
  ' ',
  '\n',
  '\0',
  '\u0001',
  'a',
  '-',
  '1',
  '.',
  '&amp;',
  '&#0;',
  '&#x41;',
  '&x;',
  "xmlns=''",
  ' xmlns:p=""',
  ' a="1"',
  ' a="1"',
  '<a>',
  '</a>',
  '<p:b/>',
  'xml:',
  'xmlns:',
  '\ufffe',
  '\u0300',
  '\u00d7',
  '\u{10ffff}',
  '<!--',
  '-->',
  '<?',
  '?>',
  '<!DOCTYPE',
  '%',
  '#',
  '\ud800',
]
