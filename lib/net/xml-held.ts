// The bytes of a unit that was cut: grows by doubling, so that input of one byte at a time costs no
// more than input at once. Memory of its own, never a part of a pool that it would keep alive.

const SMALLEST = 256

export class HeldBytes {
  bytes: Buffer
  length = 0

  constructor(chunk: Buffer, start: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(SMALLEST, chunk.length - start))
    this.add(chunk, start, chunk.length)
  }

  /** How much to take at once: not much more than what is here, because the rest is not ours to copy. */
  get portion(): number {
    return Math.max(SMALLEST, this.length)
  }

  add(chunk: Buffer, start: number, end: number): void {
    const length = this.length + end - start
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.bytes.length * 2))
      this.bytes.copy(larger, 0, 0, this.length)
      this.bytes = larger
    }
    chunk.copy(this.bytes, this.length, start, end)
    this.length = length
  }
}
