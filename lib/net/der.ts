// As much of DER (X.690) as certificates need: writing one, and reading where a value lies. Nothing
// here comes from a peer that is not already checked by OpenSSL; a length that does not fit throws.

export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

export function der(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 0xff)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

export const sequence = (...contents: Uint8Array[]): Buffer => der(TAG.sequence, ...contents)

/** Of a positive number given as bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const sign = bytes[0]! & 0x80 ? Buffer.from([0]) : Buffer.alloc(0)
  return der(TAG.integer, sign, bytes)
}

export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return der(TAG.bitString, Buffer.from([unusedBits]), bytes)
}

/** '1.2.840.10045.4.3.2' */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest.flatMap(septets)]
  return der(TAG.objectId, Buffer.from(bytes))
}

function septets(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

/** X.509 (RFC 5280 §4.1.2.5): UTCTime up to 2049, GeneralizedTime afterwards. */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`
  return date.getUTCFullYear() < 2050
    ? der(TAG.utcTime, Buffer.from(text.slice(2)))
    : der(TAG.generalizedTime, Buffer.from(text))
}

/** One value, where it lies. */
export interface DerValue {
  readonly tag: number
  readonly content: Buffer
}

/** The values that stand one after the other in a content. */
export function derValues(content: Buffer): DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < content.length; ) {
    const { start, end } = extent(content, at)
    values.push({ tag: content[at]!, content: content.subarray(start, end) })
    at = end
  }
  return values
}

function extent(content: Buffer, at: number): { start: number; end: number } {
  const first = content.readUInt8(at + 1)
  const count = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + count
  const length = count === 0 ? first : content.readUIntBE(at + 2, count)
  if (start + length > content.length)
    throw new RangeError('DER: a value ends outside its container')
  return { start, end: start + length }
}

export function dotted(content: Buffer): string {
  const numbers: number[] = []
  let value = 0
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f)
    if (byte & 0x80) continue
    if (numbers.length > 0) numbers.push(value)
    else
      numbers.push(
        Math.min(2, Math.floor(value / 40)),
        value - 40 * Math.min(2, Math.floor(value / 40)),
      )
    value = 0
  }
  return numbers.join('.')
}
