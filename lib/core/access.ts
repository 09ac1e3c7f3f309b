// Who may ask what: the meaning of `allow`.

import type { Envelope } from '../xmpp/envelope.js'
import type { Jid } from '../xmpp/jid.js'
import type { Host } from './host.js'
import type { Allow } from './module.js'
import type { Session } from './session.js'

export interface Asker {
  envelope: Envelope
  session: Session | undefined
}

export function mayAsk(allow: Allow, host: Host, { envelope }: Asker): boolean | Promise<boolean> {
  const from = envelope.from.bare
  const to = envelope.to.bare
  switch (allow) {
    case 'anyone':
      return true
    case 'local':
      return envelope.from.domain === host.domain && envelope.from.local !== ''
    case 'self':
      return from.equals(to)
    case 'admin':
      return host.isAdmin(from)
    case 'subscriber':
      return from.equals(to) || (host.contacts?.seesPresence(to, from) ?? false)
  }
}

export function isAdmin(admins: readonly string[], jid: Jid): boolean {
  return jid.local !== '' && admins.includes(jid.bare.text)
}
