// Shows ids to strangers without telling them anything: numbers are carried through a keyed
// permutation of 64 bits and written as text of a fixed length. Without the key a text says neither
// when nor how many (XEP-0359 §3: ids should be unpredictable). It keeps readers from guessing and is
// no cipher of record: whatever is allowed or forbidden is never decided by an id being secret.
//
// An id has 53 bits. The eleven above it are nothing, so a text that somebody made up opens once in
// 2048 times, and then to a number that is most probably nobody's.

/** What seals with one key. */
export interface Permutation {
  /** Thirteen characters of a-z and 2-7; the id is a safe integer that is not negative. */
  seal(id: number): string
  /** Undefined for whatever this key has not sealed, hostile texts included. */
  open(text: string): number | undefined
}

const ROUNDS = 8
const KEY_BYTES = 16
const HIGH = 0x100000000
/** What the upper half of an id is below */
const END = 0x200000

/** A Feistel network over two halves of 32 bits, in eight rounds; the key has 16 bytes. */
export function permutation(key: Uint8Array): Permutation {
  const keys = roundKeys(key)
  return {
    seal(id) {
      if (!Number.isSafeInteger(id) || id < 0) throw new RangeError('an id is a safe integer')
      let left = (id / HIGH) | 0
      let right = id | 0
      for (let i = 0; i < keys.length; i += 2) {
        const next = left ^ mixed(right, keys[i]!, keys[i + 1]!)
        left = right
        right = next
      }
      return textOf(left, right)
    },

    open(text) {
      if (!readHalves(text)) return undefined
      let left = leftRead
      let right = rightRead
      for (let i = keys.length - 2; i >= 0; i -= 2) {
        const before = right ^ mixed(left, keys[i]!, keys[i + 1]!)
        right = left
        left = before
      }
      return left >>> 0 < END ? (left >>> 0) * HIGH + (right >>> 0) : undefined
    },
  }
}

/** The function of a round, of one half and two words of the key: every bit comes to depend on all. */
function mixed(half: number, first: number, second: number): number {
  half = Math.imul(half ^ first, 0x9e3779b1)
  half = Math.imul(half ^ (half >>> 15) ^ second, 0x85ebca6b)
  half = Math.imul(half ^ (half >>> 13), 0xc2b2ae35)
  return half ^ (half >>> 16)
}

/** Two words for each round, all of them from all of the key. */
function roundKeys(key: Uint8Array): Int32Array {
  if (key.length !== KEY_BYTES) throw new RangeError('the key has 16 bytes')
  const view = new DataView(key.buffer, key.byteOffset, KEY_BYTES)
  const words = [0, 4, 8, 12].map((at) => view.getInt32(at))
  const keys = new Int32Array(2 * ROUNDS)
  let state = 0
  for (let step = 0; step < 8 + keys.length; step++) {
    state = mixed(state + step, words[step & 3]!, words[(step + 1) & 3]! ^ state)
    words[step & 3] = words[step & 3]! ^ state
    if (step >= 8) keys[step - 8] = state
  }
  return keys
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const LENGTH = 13
const LETTERS: readonly string[] = [...ALPHABET]
/** Ten bits, two letters at a time */
const PAIRS = Array.from({ length: 1024 }, (_, i) => LETTERS[i >>> 5]! + LETTERS[i & 31]!)
const VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < LETTERS.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i

/** 64 bits in letters of five bits, of which the first holds four. */
function textOf(left: number, right: number): string {
  return (
    LETTERS[left >>> 28]! +
    PAIRS[(left >>> 18) & 1023]! +
    PAIRS[(left >>> 8) & 1023]! +
    PAIRS[((left << 2) | (right >>> 30)) & 1023]! +
    PAIRS[(right >>> 20) & 1023]! +
    PAIRS[(right >>> 10) & 1023]! +
    PAIRS[right & 1023]!
  )
}

let leftRead = 0
let rightRead = 0

/** Into the two variables above, which saves an object for each id; false if it is no such text. */
function readHalves(text: string): boolean {
  if (text.length !== LENGTH) return false
  let left = 0
  let right = 0
  for (let i = 0; i < LENGTH; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? -1
    if (value < 0 || (i === 0 && value > 15)) return false
    left = (left << 5) | (right >>> 27)
    right = (right << 5) | value
  }
  leftRead = left
  rightRead = right
  return true
}
