// Slow mode (XEP-0500): between two messages of one person, with whatever nicks and sessions, some time must pass,
// where the owner of the room wants that. Admins and owners need not wait.

import { StanzaError } from '../../../lib/xmpp/errors.js'
import { NS_CLIENT } from '../../../lib/xmpp/namespaces.js'
import type { RoomFeature, Speech } from '../feature.js'
import type { Room } from '../room.js'
import { isAtLeast } from '../standing.js'

const key = Symbol('last spoken')

export const slowMode: RoomFeature = {
  name: 'slow mode',
  info: ({ settings }) => [
    // §5.2
    { name: 'muc#roominfo_slow_mode_duration', value: String(settings.slowMode) },
  ],
  admit: wait,
  changed(room) {
    if (room.settings.slowMode === 0) room.memo.delete(key)
  },
}

/** §5.3 */
function wait({ room, occupant: { account }, envelope: { stanza } }: Speech): void {
  const { slowMode: seconds } = room.settings
  if (seconds === 0 || !stanza.has('body', NS_CLIENT)) return
  if (isAtLeast(room.affiliationOf(account), 'admin')) return
  const now = room.venue.host.clock.now()
  const spoken = spokenIn(room)
  const before = now - seconds * 1000
  const last = spoken.get(account.text)
  if (last !== undefined && last > before) {
    const text = `between two messages ${seconds} seconds must pass here (slow mode)`
    throw new StanzaError('policy-violation', text, { type: 'wait' })
  }
  spoken.delete(account.text)
  spoken.set(account.text, now)
  for (const [other, at] of spoken) {
    if (at > before) break
    spoken.delete(other)
  }
}

/** In the order in which they spoke: nobody is in it for longer than the time that must pass. */
function spokenIn({ memo }: Room): Map<string, number> {
  let spoken = memo.get(key) as Map<string, number> | undefined
  if (!spoken) memo.set(key, (spoken = new Map()))
  return spoken
}
