// What may be a password: OpaqueString of RFC 8265 §4.2, at most 1023 octets. How long it must be at
// least depends on who sets it, so the caller says.

import { JidError } from '../../lib/xmpp/jid-error.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { opaqueString } from '../../lib/xmpp/precis.js'

const MOST_OCTETS = 1023
const PLAIN = /^[\x20-\x7e]+$/

/** The form that keys are derived from; undefined for what cannot be anybody's password. */
export function preparePassword(text: string): string | undefined {
  if (text.length === 0 || text.length > MOST_OCTETS * 2) return undefined
  const prepared = PLAIN.test(text) ? text : opaque(text)
  return prepared && Buffer.byteLength(prepared) <= MOST_OCTETS ? prepared : undefined
}

function opaque(text: string): string | undefined {
  try {
    // The profile of resources refuses a space in front; a password may have one.
    return opaqueString(`_${text}`).slice(1)
  } catch (error) {
    if (error instanceof JidError) return undefined
    throw error
  }
}

/** For a new password: refuses, with the reason, what is not to be one. */
export function newPassword(text: string, least = 1): string {
  const prepared = preparePassword(text)
  if (prepared === undefined) {
    throw new StanzaError('not-acceptable', 'a password is 1 to 1023 octets without controls')
  }
  if ([...prepared].length < least) {
    throw new StanzaError('not-acceptable', `a password needs at least ${least} characters`)
  }
  return prepared
}
