// Reading and writing stanzas as text, as much as the harness needs. It trusts the servers to be
// well-formed: it is an instrument, not a parser. Texts are latin1 views of UTF-8.

const patterns = new Map<string, RegExp>()

/** The value of an attribute in a tag, or of its first occurrence in a longer text. */
export function attribute(text: string, name: string): string | undefined {
  let pattern = patterns.get(name)
  if (!pattern) patterns.set(name, (pattern = new RegExp(`\\s${name}=(?:'([^']*)'|"([^"]*)")`)))
  const match = pattern.exec(text)
  return match ? decode(match[1] ?? match[2]!) : undefined
}

export const firstTag = (text: string): string => text.slice(0, text.indexOf('>') + 1)

export const bare = (address: string): string => address.split('/', 1)[0]!

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

export function decode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(#x?)?(\w+);/g, (all, numeric?: string, name?: string) => {
    if (!numeric) return ENTITIES[name!] ?? all
    const code = Number.parseInt(name!, numeric === '#x' ? 16 : 10)
    return Buffer.from(String.fromCodePoint(code)).toString('latin1')
  })
}

export const encode = (text: string): string =>
  text.replace(/[<&'"]/g, (sign) => `&#${sign.charCodeAt(0)};`)

/** The id that the archive of `owner` gave (XEP-0359 §3). */
export function stanzaId(message: string, owner: string): string | undefined {
  for (const [tag] of message.matchAll(/<stanza-id\s[^>]*>/g)) {
    if (attribute(tag, 'by') === owner) return attribute(tag, 'id')
  }
  return undefined
}

const PROSE = Buffer.from(
  'Two households, both alike in dignity; déjà vu <in fair> Verona & elsewhere: "née" ☂ \'tis so. ',
)
  .toString('latin1')
  .repeat(5)
const FILLER = PROSE.slice(0, 400)

/** What a message says: its own name and a filler whose length follows from the name. */
export function bodyOf(mid: string): string {
  let hash = 7
  for (let at = 0; at < mid.length; at++) hash = (hash * 31 + mid.charCodeAt(at)) >>> 0
  const end = wholeCharacter(hash % 300)
  return `${mid} ${FILLER.slice(0, end)}|`
}

/** Not in the middle of a UTF-8 sequence */
function wholeCharacter(at: number): number {
  while (at > 0 && (FILLER.charCodeAt(at) & 0xc0) === 0x80) at--
  return at
}

export interface Said {
  mid: string
  sound: boolean
}

/** The message that a stanza carries in its body, and whether it came whole. */
export function said(message: string): Said | undefined {
  const match = /<body[^>]*>([^<]*)<\/body>/.exec(message)
  if (!match) return undefined
  const body = decode(match[1]!)
  const mid = body.split(' ', 1)[0]!
  return { mid, sound: body === bodyOf(mid) }
}
