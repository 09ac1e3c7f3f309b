// The words of a text as they are searched: in lower case, without accents, each sign of a script that
// writes no spaces and each emoji for itself. The same function makes the index and reads questions;
// what it yields are letters, digits and signs, nothing that any index would take for its syntax.

/** LIM-search-words: of a message; what follows is not found. */
const MOST_WORDS = 4000
const MOST_TEXT = 64 * 1024
/** Of one word, in UTF-16 units */
const LONGEST = 64

const ASCII = /^[\x00-\x7f]*$/
const ASCII_WORD = /[a-z0-9]+/g
const ALONE =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}' +
  '\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Extended_Pictographic}'
const WORD = new RegExp(`[${ALONE}]|(?:(?![${ALONE}\\ufe00-\\ufe0f])[\\p{L}\\p{N}\\p{M}])+`, 'gu')
/** Accents, and the vowel points of Hebrew and Arabic */
const MARKS = /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u064b-\u065f\u0670]/g
const SPELLED: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ς: 'σ',
}
const LETTERS = /[ßæœøđðþłıς]/g

export function wordsOf(text: string): string[] {
  const plain = folded(text.slice(0, MOST_TEXT))
  const words: string[] = []
  for (const [word] of plain.matchAll(ASCII.test(plain) ? ASCII_WORD : WORD)) {
    words.push(word.length > LONGEST ? cut(word) : word)
    if (words.length === MOST_WORDS) break
  }
  return words
}

function folded(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  const bare = text.normalize('NFKD').toLowerCase().replace(MARKS, '')
  return bare.replace(LETTERS, (letter) => SPELLED[letter]!).normalize('NFKC')
}

/** Never in the middle of a character */
function cut(word: string): string {
  const whole = word.codePointAt(LONGEST - 1)! > 0xffff ? LONGEST - 1 : LONGEST
  return word.slice(0, whole)
}
