// A number for a text, the same on every platform and in every version: indices of the database hold
// it. 53 bits, so that it is a safe integer; among a million texts two share one with a chance of
// 1 in 18,000. It is no cryptography: whoever tries finds texts that share a number. It may narrow a
// search; what was found is compared as text.

const FIRST = 0x9e3779b1
const SECOND = 0x85ebca77

/** Over the UTF-16 units: two halves of 32 bits that each mix a unit in and then mix each other. */
export function hash53(text: string): number {
  let a = 0x243f6a88 ^ text.length
  let b = 0x13198a2e
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, FIRST)
    a = (a << 15) | (a >>> 17)
    b = Math.imul(b ^ unit, SECOND)
    b = (b << 13) | (b >>> 19)
  }
  a = mixed(a ^ b)
  b = mixed(b + a)
  return (b & 0x1fffff) * 0x100000000 + (mixed(a + b) >>> 0)
}

/** The last step of MurmurHash3: each bit of 32 depends on all of them. */
function mixed(half: number): number {
  half = Math.imul(half ^ (half >>> 16), 0x85ebca6b)
  half = Math.imul(half ^ (half >>> 13), 0xc2b2ae35)
  return half ^ (half >>> 16)
}
