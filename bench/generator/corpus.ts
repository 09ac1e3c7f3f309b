// The archive that pages and searches are measured on: one account's messages with two hundred
// contacts over two hundred days, each one the function of its number, so that those who fill a
// store and those who ask it need not exchange anything. Words are made up; the n-th of a
// vocabulary of 2,000 occurs about as often as 1/n, and some in twenty messages of any number.
import type { Frequency } from '../job.js'

export const OWNER = 'u0'
export const CONTACTS = 200
const BEGAN = Date.UTC(2026, 0, 1)
const DAYS = 200
const WORDS = 12
const VOCABULARY = 2000
/** Rare words of a corpus, and in how many messages each one is. */
const RARE = 40
export const RARE_HITS = 20

export type Kept = {
  /** The name of the contact. */
  contact: string
  /** From the owner to the contact. */
  outgoing: boolean
  id: string
  body: string
  /** Milliseconds since 1970, rising with the number. */
  at: number
}

/** A number from 0 up to 1 for each message and purpose: xorshift over a multiplied seed. */
function random(seed: number, salt: number): number {
  let x = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32
}

const BEGINNINGS = ['ba', 'ke', 'li', 'mo', 'nu', 'pra', 'ste', 'vi', 'zo', 'gru']

/** The syllables spell the number. */
function spell(number: number): string {
  const digits = String(number).padStart(3, '0')
  return `${[...digits].map((digit) => BEGINNINGS[Number(digit)]).join('')}n`
}

const words = Array.from({ length: VOCABULARY }, (_, rank) => spell(rank))
const rareWord = (number: number) => `${spell(number)}quist`

/** Which rare word a message has, if any: spread evenly over the archive. */
function rareIn(number: number, messages: number): string {
  const gap = Math.max(1, Math.floor(messages / (RARE * RARE_HITS)))
  return number % gap === 0 ? ` ${rareWord((number / gap) % RARE)}` : ''
}

export const contactName = (number: number) => `p${number}`

export const timeOf = (number: number, messages: number) =>
  BEGAN + Math.floor((number * DAYS * 86_400_000) / messages)

export function kept(number: number, messages: number): Kept {
  const text: string[] = []
  for (let i = 0; i < WORDS; i++) {
    text.push(words[Math.floor(VOCABULARY ** random(number, i + 2)) - 1]!)
  }
  return {
    contact: contactName(Math.floor(random(number, 0) * CONTACTS)),
    outgoing: random(number, 1) < 0.5,
    id: `c${number.toString(36)}`,
    body: text.join(' ') + rareIn(number, messages),
    at: timeOf(number, messages),
  }
}

/** Words to search for. */
export function wordsOf(frequency: Frequency): string[] {
  if (frequency === 'rare') return Array.from({ length: RARE }, (_, i) => rareWord(i))
  return frequency === 'medium' ? words.slice(400, 440) : words.slice(1, 12)
}

export function stanzaOf(message: Kept, domain: string): string {
  const { contact, outgoing, id, body } = message
  const address = (name: string) => `${name}@${domain}`
  const [from, to] = outgoing ? [OWNER, contact] : [contact, OWNER]
  return `<message xmlns='jabber:client' type='chat' from='${address(from)}/bench' to='${address(to)}' id='${id}'><body>${body}</body></message>`
}
