// Which nicks are too much like each other for two people in one room (XEP-0045 §7.2.8 leaves it to the service,
// §14.6 names the attack): those that are the same nickname by RFC 8266, whatever their case, width and spaces.

import { JidError } from '../../../lib/xmpp/jid-error.js'
import { nicknameKey } from '../../../lib/xmpp/precis.js'

/** What needs no table */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/

/** Equal for nicks that are alike; undefined for what is no nickname (RFC 8266 §2.3) */
export function likenessOf(nick: string): string | undefined {
  if (PLAIN.test(nick)) return nick.toLowerCase()
  try {
    return nicknameKey(nick)
  } catch (error) {
    if (error instanceof JidError) return undefined
    throw error
  }
}

/** Also for what was called something before it had to be a nickname: that is like itself. */
export function likeness(nick: string): string {
  return likenessOf(nick) ?? nick
}
