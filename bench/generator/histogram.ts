// Latencies in microseconds in a log-linear histogram: exact to 64 µs, then 32 steps an octave
// (within 3 %). Recording is one array increment, so that the instrument does not weigh in.

const EXACT = 64
const STEPS = 32

export class Histogram {
  private readonly counts = new Uint32Array(EXACT + STEPS * 26)
  total = 0

  record(micros: number): void {
    const slot = slotOf(micros)
    const last = this.counts.length - 1
    this.counts[Math.min(slot, last)]!++
    this.total++
  }

  /** The value below which `share` of all recordings lie, in milliseconds. */
  quantile(share: number): number {
    const wanted = share * this.total
    let seen = 0
    for (let slot = 0; slot < this.counts.length; slot++) {
      seen += this.counts[slot]!
      if (seen >= wanted && seen > 0) return middleOf(slot) / 1000
    }
    return 0
  }
}

function slotOf(micros: number): number {
  if (micros < EXACT) return micros < 0 ? 0 : micros | 0
  const exponent = 31 - Math.clz32(micros)
  return EXACT + (exponent - 6) * STEPS + ((micros >> (exponent - 5)) & (STEPS - 1))
}

function middleOf(slot: number): number {
  if (slot < EXACT) return slot
  const exponent = ((slot - EXACT) >> 5) + 6
  return (STEPS + ((slot - EXACT) % STEPS)) * 2 ** (exponent - 5)
}
