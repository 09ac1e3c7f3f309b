// What became of a message that an account sent: stored, delivered, displayed. For people of this server
// it is derived from where they are in the log; for others from the receipts and markers that came back
// (XEP-0184, XEP-0333). Nobody but the sender's side is told.

import { defineModule } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import { findCalled } from '../../lib/storage/called.js'
import { numberAt } from '../../lib/storage/logged-message.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import { referredId } from '../../lib/xmpp/message-references.js'
import archive from '../archive/archive.js'
import readState from '../read-state/read-state.js'
import { migrations, SignsStore } from './signs-store.js'
import { statusCommand } from './status-command.js'
import { type MessageStatus, Statuses } from './statuses.js'

export interface MessageStatusApi {
  /** Of a message that the account sent; undefined where it has none of this number. */
  statusOf(account: number, id: number): Promise<MessageStatus | undefined>
}

const EXPIRE = 3_600_000

export default defineModule<MessageStatusApi>({
  name: 'message-status',
  summary: 'Tells what became of a message',
  requires: [archive, readState],
  migrations,

  setup(host) {
    const { open, kept } = host.use(archive)
    const store = new SignsStore(host.database)
    const statuses = new Statuses(host, { store, readState: host.use(readState) })

    return {
      provides: { statusOf: (account, id) => statuses.of(account, id) },
      hooks: { 'message:received': { record: note } },
      commands: [statusCommand(host, { statuses, open })],
      tasks: [{ name: 'expire receipts', every: EXPIRE, once: true, run: expire }],
      account: { forget: ({ number }, trx) => store.forget(number, trx) },
    }

    function note(envelope: Envelope, passage: Passage): Promise<void> | undefined {
      const { stanza, from, to } = envelope
      if (to.local === '' || stanza.type === 'error' || host.server.hosts.has(from.domain)) return
      const sign = referredId(stanza)
      if (sign?.kind !== 'delivered' && sign?.kind !== 'displayed') return
      return keep(envelope, passage, { id: sign.id, shown: sign.kind === 'displayed' })
    }

    /** Of what the account did not send to this very peer it says nothing. */
    async function keep(
      { from, to, arrived }: Envelope,
      { entry }: Passage,
      { id: label, shown }: { id: string; shown: boolean },
    ): Promise<void> {
      const account = await host.numberOf(to)
      const peer = from.bare
      const id = await findCalled(host.messages, { owner: account, peer }, label)
      if (id === undefined) return
      const sign = { account, peer, id, at: arrived }
      if (shown) store.displayed(entry, sign)
      else store.delivered(entry, sign)
    }

    /** With the messages that they are about */
    async function expire(): Promise<void> {
      const before = numberAt(host.clock.now() - kept)
      while (before > 0 && (await store.expire(before)));
    }
  },
})
