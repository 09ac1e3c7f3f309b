// The nearest of some names to one that was written wrongly: edit distance with swaps of neighbours.
// What strangers wrote is cut before it is measured, so the cost is bounded.

const LONGEST = 64

/** The name that was probably meant; undefined where none is near. */
export function nearest(written: string, names: Iterable<string>): string | undefined {
  const word = plain(written)
  let best: string | undefined
  let least = Math.max(1, Math.ceil(word.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(word, plain(name))
    if (distance < least) {
      least = distance
      best = name
    }
  }
  return best
}

// c2sTLS, c2s-tls and c2s_tls differ only for a machine
function plain(name: string): string {
  return name.slice(0, LONGEST).toLowerCase().replace(/[-_ ]/g, '')
}

export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1))
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = previous
    previous = row
  }
  return previous[b.length]!
}
