// What a client hears where its request fails (XEP-0198 §6): never less than that it failed. Trouble of the
// database is nobody's fault, everything else that nobody foresaw is a bug.

import type { Host } from '../../lib/core/host.js'
import { isTrouble } from '../../lib/storage/trouble.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { failed } from './wording.js'

export function refusal(error: unknown, host: Host, handled?: number): Element {
  if (error instanceof StanzaError) return failed(error.condition, handled)
  if (isTrouble(error)) return failed('resource-constraint', handled)
  host.failed('stream management', error)
  return failed('internal-server-error', handled)
}
