// Punycode (RFC 3492) for single labels, without the `xn--` in front. Whether a label is allowed is
// idna.ts's question; its limit of 63 octets also bounds the work done here.

const DIGITS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const BASE = 36
const T_MIN = 1
const T_MAX = 26
const SKEW = 38
const DAMP = 700
const FIRST_BIAS = 72
const FIRST_CODE = 0x80
const LAST_CODE = 0x10ffff

/** RFC 3492 §6.1 */
function adapt(delta: number, count: number, first: boolean): number {
  let rest = first ? Math.floor(delta / DAMP) : delta >> 1
  rest += Math.floor(rest / count)
  let k = 0
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN))
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW))
}

const threshold = (k: number, bias: number) => Math.min(T_MAX, Math.max(T_MIN, k - bias))

/** RFC 3492 §6.3 */
export function encodePunycode(codes: readonly number[]): string {
  const basic = codes.filter((code) => code < FIRST_CODE)
  let output = String.fromCharCode(...basic) + (basic.length > 0 ? '-' : '')
  let [delta, bias, done] = [0, FIRST_BIAS, basic.length]
  const higher = [...new Set(codes.filter((code) => code >= FIRST_CODE))].sort((a, b) => a - b)
  let next = FIRST_CODE
  for (const code of higher) {
    delta += (code - next) * (done + 1)
    for (const each of codes) {
      if (each < code) delta++
      if (each !== code) continue
      output += variableLength(delta, bias)
      bias = adapt(delta, done + 1, done === basic.length)
      delta = 0
      done++
    }
    delta++
    next = code + 1
  }
  return output
}

function variableLength(delta: number, bias: number): string {
  let digits = ''
  for (let k = BASE; ; k += BASE) {
    const t = threshold(k, bias)
    if (delta < t) return digits + DIGITS[delta]
    digits += DIGITS[t + ((delta - t) % (BASE - t))]
    delta = Math.floor((delta - t) / (BASE - t))
  }
}

/** RFC 3492 §6.2; undefined for what nothing encodes to. */
export function decodePunycode(text: string): number[] | undefined {
  const dash = text.lastIndexOf('-')
  const codes = Array.from(text.slice(0, Math.max(dash, 0)), (c) => c.charCodeAt(0))
  let [code, at, bias, read] = [FIRST_CODE, 0, FIRST_BIAS, dash + 1]
  while (read < text.length) {
    const number = readNumber(text, read, bias)
    if (number === undefined) return undefined
    const count = codes.length + 1
    bias = adapt(number.value, count, at === 0 && code === FIRST_CODE)
    code += Math.floor((at + number.value) / count)
    at = (at + number.value) % count
    if (code > LAST_CODE) return undefined
    codes.splice(at++, 0, code)
    read = number.end
  }
  return codes
}

/** One variable-length integer; at most 63 digits can come, so no sum leaves the safe integers. */
function readNumber(text: string, start: number, bias: number) {
  let [value, weight] = [0, 1]
  for (let end = start, k = BASE; end < text.length; k += BASE) {
    const digit = DIGITS.indexOf(text[end++]!)
    const t = threshold(k, bias)
    value += digit * weight
    if (digit < 0 || value > Number.MAX_SAFE_INTEGER) return undefined
    if (digit < t) return { value, end }
    weight *= BASE - t
  }
  return undefined
}
