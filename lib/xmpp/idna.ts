import { JidError } from './jid-error.js'

export function domainToUnicode(text: string): string {
  const bare = text.endsWith('.') ? text.slice(0, -1) : text
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bare)) return bare
  throw new JidError('not an allowed domain')
}
