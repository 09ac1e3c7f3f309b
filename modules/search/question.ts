// What somebody looks for: words that must all be there, phrases in quotes, the beginning of a word
// with an asterisk. Everything else that was written only separates words, whatever it would mean to
// an index.

import { StanzaError } from '../../lib/xmpp/errors.js'
import { wordsOf } from './words.js'

/** LIM-search-question */
const LONGEST = 1024
const MOST_WORDS = 32
/** Shorter beginnings would mean half of the dictionary. */
const SHORTEST_BEGINNING = 3

export interface Term {
  /** One word, or several in this order */
  readonly words: readonly string[]
  /** The last of them is the beginning of a word. */
  readonly beginning: boolean
}

/** None: nothing can match. */
export type Question = readonly Term[]

/** Phrases first: what is in quotes, of whatever kind; one that is not closed goes to the end. */
const PART = /"([^"]*)(?:"|$)|([^\s"]+)/g
const QUOTES = /[\u201c-\u201f\u00ab\u00bb\u300c-\u300f]/g

export function readQuestion(text: string): Question {
  if (text.length > LONGEST) throw new StanzaError('bad-request', 'too much to look for')
  const terms: Term[] = []
  for (const [, phrase, part = ''] of text.replace(QUOTES, '"').matchAll(PART)) {
    const words = wordsOf(phrase ?? part)
    if (words.length > 0) terms.push({ words, beginning: isBeginning(part, words) })
  }
  const count = terms.reduce((sum, { words }) => sum + words.length, 0)
  if (count > MOST_WORDS) throw new StanzaError('bad-request', 'too many words to look for')
  return terms
}

function isBeginning(part: string, words: readonly string[]): boolean {
  return part.endsWith('*') && words.at(-1)!.length >= SHORTEST_BEGINNING
}

export function matches(question: Question, words: readonly string[]): boolean {
  return question.length > 0 && question.every((term) => timesIn(term, words) > 0)
}

/** How often the words of a message have it */
export function timesIn({ words: wanted, beginning }: Term, words: readonly string[]): number {
  let times = 0
  const last = wanted.length - 1
  for (let at = 0; at + last < words.length; at++)
    if (wanted.every((word, next) => fits(words[at + next]!, word, beginning && next === last)))
      times++
  return times
}

function fits(word: string, wanted: string, beginning: boolean): boolean {
  return beginning ? word.startsWith(wanted) : word === wanted
}
