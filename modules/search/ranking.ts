// Which of the messages that were found come first: those that are more about what was looked for, by
// BM25 over what was found. All of them have all words, so how rare a word is elsewhere tells nothing.

import type { Logged } from '../../lib/storage/message-log.js'
import { wordsWithin } from './document.js'
import { type Question, timesIn } from './question.js'

/** How soon more of a word counts no more, and how much length counts */
const SATURATION = 1.2
const LENGTH = 0.75

export interface Ranked {
  readonly message: Logged
  readonly score: number
}

/** The best first; of equals the newer. */
export function ranked(messages: readonly Logged[], question: Question): Ranked[] {
  const read = messages.map((message) => ({ message, words: wordsWithin(message.text) }))
  const average = read.reduce((sum, { words }) => sum + words.length, 0) / read.length
  const scored = read.map(({ message, words }) => {
    const weight = SATURATION * (1 - LENGTH + (LENGTH * words.length) / average)
    const score = question.reduce((sum, term) => {
      const times = timesIn(term, words)
      return sum + (times * (SATURATION + 1)) / (times + weight)
    }, 0)
    return { message, score }
  })
  return scored.sort((a, b) => b.score - a.score || b.message.id - a.message.id)
}
