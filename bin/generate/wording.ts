// How values, ranges and tables look in generated texts.

import { stringify } from 'yaml'
import type { Key } from '../../lib/ops/config-keys.js'
import { showRange } from '../../lib/ops/config-reader.js'
import type { Option } from '../../lib/ops/options.js'

/** As an operator writes it, on one line. */
export function showWritten(value: unknown): string {
  return stringify(value, {
    collectionStyle: 'flow',
    flowCollectionPadding: false,
    lineWidth: 0,
  }).trim()
}

const kinds: Record<Key['kind'], string> = {
  integer: 'a whole number',
  duration: "a duration such as '30 s' or '1 year'",
  bytes: "a size such as '256 KiB'",
  text: 'a text',
  flag: 'true or false',
  choice: 'one of several',
  list: 'a list',
  map: 'keys with values',
  secret: 'a text, `{ file: path }` or `{ credential: name }`',
  path: 'a path, from the folder of the configuration',
  name: 'a domain',
  ports: 'a port, `address:port`, a list of them, or false',
  section: 'keys with values',
}

/** "a whole number, 1 to 256" */
export function showAllowed(
  key: Pick<Key | Option, 'kind' | 'choices' | 'min' | 'max' | 'unit'>,
): string {
  if (key.choices) return key.choices.map((choice) => `\`${choice}\``).join(', ')
  const range = showRange(key)
  return range === '' ? kinds[key.kind] : `${kinds[key.kind]}, ${range}`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n')
}

export const code = (text: string): string => `\`${text}\``

/** Words into lines of at most so many characters. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
