// Where a command writes: results to standard output, everything else to standard error; colours only
// where people look and NO_COLOR is not set. Texts of strangers are shown without control characters.

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

export interface Terminal {
  out(line: string): void
  err(line: string): void
  /** For standard output */
  style(style: Style, text: string): string
  /** For standard error */
  errStyle(style: Style, text: string): string
}

const codes: Record<Style, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
}

export const processTerminal: Terminal = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  style: (style, text) => painted(process.stdout, style, text),
  errStyle: (style, text) => painted(process.stderr, style, text),
}

function painted(stream: NodeJS.WriteStream, style: Style, text: string): string {
  // no-color.org: any value that is not empty
  const plain = !stream.isTTY || (process.env.NO_COLOR ?? '') !== '' || process.env.TERM === 'dumb'
  const [on, off] = codes[style]
  return plain ? text : `\u001b[${on}m${text}\u001b[${off}m`
}

/** Also marks that turn the direction of writing; line ends stay. */
export function clean(text: string): string {
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '�')
}
