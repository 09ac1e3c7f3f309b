// What a client's stream header must be, beside well-formed (RFC 6120 §4.7).

import { StreamError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import type { StreamHeader } from '../net/xml-reader.js'

/** `account` is set where the client has authenticated already. */
export function checkHeader({ version, from }: StreamHeader, account: Jid | undefined): void {
  // RFC 6120 §4.7.5: no version means a server before 1.0, which we do not speak.
  if (!/^[1-9]\d{0,8}\.\d{1,9}$/.test(version ?? '')) throw new StreamError('unsupported-version')
  if (from === undefined) return
  const jid = Jid.tryParse(from)
  if (!jid || (account && !jid.bare.equals(account))) throw new StreamError('invalid-from')
}
