// Start tags that were read before, to the byte: `<body>`, `<active xmlns='…chatstates'/>`. Most tags
// inside of messages are among a few dozen, and comparing one is cheaper than reading it. Only tags
// that mean the same everywhere are kept: ASCII, no prefix, no attribute but a default namespace.
// A slot holds what came last, so strangers can make this useless but never larger.

import { fromWire } from '../xmpp/element.js'
import { latin1 } from './xml-bytes.js'

export interface KnownTag {
  /** From the name to the '>' */
  readonly text: string
  readonly name: string
  /** Undefined where it inherits */
  readonly xmlns: string | undefined
  readonly empty: boolean
}

interface NewTag {
  name: string
  xmlns: string | undefined
  end: number
}

const SLOTS = 512
const LONGEST = 96
const SHORTEST = 4

const table: (KnownTag | undefined)[] = new Array<undefined>(SLOTS).fill(undefined)

/** The tag whose name begins at `start`, if it was seen before and lies there whole. */
export function knownTag(buf: Buffer, start: number, end: number): KnownTag | undefined {
  if (end - start < SHORTEST) return undefined
  const tag = table[slotOf(buf, start)]
  return tag !== undefined && tag.text.length <= end - start && matches(buf, start, tag.text)
    ? tag
    : undefined
}

/** Keeps a tag that was read in full; the range ends after its '>'. */
export function rememberTag(buf: Buffer, start: number, tag: NewTag): void {
  const length = tag.end - start
  if (length < SHORTEST || length > LONGEST) return
  const text = latin1(buf, start, tag.end)
  if (fromWire(text) !== text) return
  const empty = buf[tag.end - 2] === 0x2f
  table[slotOf(buf, start)] = { text, name: tag.name, xmlns: tag.xmlns, empty }
}

/** From the first four bytes: a tag is never looked for beyond what is there. */
function slotOf(buf: Buffer, start: number): number {
  const low = buf[start]! | (buf[start + 1]! << 8)
  const high = buf[start + 2]! | (buf[start + 3]! << 8)
  const hash = low * 31 + high * 131
  return (hash ^ (hash >> 9)) & (SLOTS - 1)
}

function matches(buf: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (buf[start + i] !== text.charCodeAt(i)) return false
  return true
}
