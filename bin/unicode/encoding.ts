// How the generated tables are written: base 36, runs, lines of at most 100 characters. The readers
// are in lib/xmpp/code-points.ts and lib/xmpp/confusables.ts.

export type Pair = readonly [from: number, to: number]

/** Length in base 36 (nothing for 1), then the value: a capital, after a dash for each 26. */
export function encodeRuns(values: readonly number[]): string[] {
  const runs: string[] = []
  for (let start = 0; start < values.length; ) {
    let end = start
    while (end < values.length && values[end] === values[start]) end++
    runs.push((end - start === 1 ? '' : (end - start).toString(36)) + letter(values[start]!))
    start = end
  }
  return runs
}

function letter(value: number): string {
  return '-'.repeat(Math.floor(value / 26)) + String.fromCharCode(65 + (value % 26))
}

/** Runs of pairs with equal distances: from,to[,count[,step]]. */
export function encodeMap(pairs: readonly Pair[]): string[] {
  const runs: string[] = []
  const rest = pairs.toSorted((a, b) => a[0] - b[0])
  while (rest.length > 0) {
    const run = longestRun(rest)
    runs.push(run.text)
    rest.splice(0, run.count)
  }
  return runs
}

function longestRun(pairs: readonly Pair[]): { text: string; count: number } {
  const [from, to] = pairs[0]!
  const step = pairs.length > 1 ? pairs[1]![0] - from : 1
  let count = 1
  while (
    count < pairs.length &&
    continues(pairs[count]!, [from + count * step, to + count * step])
  ) {
    count++
  }
  const numbers =
    count === 1 ? [from, to] : step === 1 ? [from, to, count] : [from, to, count, step]
  return { text: numbers.map((number) => number.toString(36)).join(','), count }
}

function continues(pair: Pair, expected: Pair): boolean {
  return pair[0] === expected[0] && pair[1] === expected[1]
}

/** Tokens as lines of at most 100 characters. */
export function template(tokens: readonly string[], separator: string): string {
  const lines: string[] = []
  let line = ''
  for (const token of tokens) {
    if (line !== '' && line.length + separator.length + token.length > 98) {
      lines.push(line)
      line = ''
    }
    line += (line === '' ? '' : separator) + token
  }
  return [...lines, line].join('\n')
}
