import { JidError } from './jid-error.js'

export function usernameCaseMapped(_text: string): string {
  throw new JidError('not an allowed localpart')
}

export function opaqueString(_text: string): string {
  throw new JidError('not an allowed resource')
}
