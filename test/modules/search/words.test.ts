// Words and questions: what matches what, and that nothing of what people write is syntax.

import { test } from 'tap'
import { matches, readQuestion } from '../../../modules/search/question.js'
import { wordsOf } from '../../../modules/search/words.js'

const finds = (question: string, text: string): boolean =>
  matches(readQuestion(question), wordsOf(text))

test('words are letters and digits, in lower case and without accents', async (t) => {
  t.strictSame(wordsOf("Romeo's 2nd LETTER, to-day!"), ['romeo', 's', '2nd', 'letter', 'to', 'day'])
  t.strictSame(wordsOf('Ärger Straße ÉTÉ Łódź naïve smørrebrød Œuvre İstanbul ısı'), [
    'arger',
    'strasse',
    'ete',
    'lodz',
    'naive',
    'smorrebrod',
    'oeuvre',
    'istanbul',
    'isi',
  ])
  t.strictSame(wordsOf('e\u0301te\u0301'), wordsOf('été'), 'however accents are written')
  t.strictSame(wordsOf('ＦＵＬＬ ﬁne ΟΔΥΣΣΕΥΣ Ёлка'), ['full', 'fine', 'οδυσσευσ', 'елка'])
  t.strictSame(wordsOf(''), [])
  t.strictSame(wordsOf(' .,;"\'*()-\0 '), [])
})

test('scripts without spaces and emoji are signs for themselves', async (t) => {
  t.strictSame(wordsOf('東京へ行く'), ['東', '京', 'へ', '行', 'く'])
  t.strictSame(wordsOf('한국어 문장'), ['한국어', '문장'])
  t.strictSame(wordsOf('love❤️you🌹'), ['love', '❤', 'you', '🌹'])
  t.ok(finds('東京', '昨日東京へ行った'))
  t.notOk(finds('京東', '昨日東京へ行った'))
  t.ok(finds('🌹', 'a rose 🌹🌹'))
})

test('long words and long texts have a bound (LIM-search-words)', async (t) => {
  t.equal(wordsOf('x'.repeat(1000))[0]!.length, 64)
  t.equal(wordsOf(`${'x'.repeat(63)}𝒳𝒳`)[0]!.length, 64)
  t.equal(wordsOf(`${'x'.repeat(63)}𐐨𐐨`)[0]!.length, 63, 'no half of a character')
  t.equal(wordsOf('word '.repeat(100_000)).length, 4000)
  t.equal(wordsOf(`${'.'.repeat(64 * 1024)} late`).length, 0)
})

test('all words, phrases in order, beginnings of words', async (t) => {
  const text = 'But soft, what light through yonder window breaks?'
  t.ok(finds('light window', text))
  t.ok(finds('WINDOW light', text))
  t.notOk(finds('light door', text))
  t.ok(finds('"what light through"', text))
  t.notOk(finds('"light what"', text))
  t.ok(finds('“yonder window” soft', text))
  t.ok(finds('win*', text))
  t.notOk(finds('win', text))
  t.notOk(finds('wi*', text), 'too short to be a beginning')
  t.notOk(finds('*', text))
  t.ok(finds('"soft what light', text), 'a quote that was never closed')
  t.notOk(finds('"soft what', 'what soft'))
  t.ok(finds("it's", "I think it's true"), 'one word with a sign within is a phrase')
  t.notOk(finds("it's", 's it'))
})

test('what an index would take for syntax only separates words (SEC-63)', async (t) => {
  for (const text of ['light AND', 'NOT light', 'NEAR(light)', 'light OR light']) {
    const words = text.toLowerCase().match(/[a-z]+/g)!
    t.strictSame(
      readQuestion(text).flatMap((term) => term.words),
      words,
    )
  }
  const odd = '§1 words:light -light ^light {words} light:* light\\ (light) & | ! <-> \0 \u0001'
  for (const { words } of readQuestion(odd)) for (const word of words) t.match(word, /^[a-z0-9]+$/)
  t.strictSame(readQuestion('§ "" * \0 -'), [])
})

test('a question has a bound (LIM-search-question)', async (t) => {
  t.throws(() => readQuestion('x'.repeat(1025)), /too much/)
  t.throws(() => readQuestion('"'.repeat(1024 * 1024)), /too much/)
  t.throws(() => readQuestion('a '.repeat(33)), /too many/)
  t.equal(readQuestion('a '.repeat(32)).length, 32)
})
