// The command by which an operator asks what became of a message.

import type { Command, Row } from '../../lib/core/commands.js'
import type { Host } from '../../lib/core/host.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { findCalled } from '../../lib/storage/called.js'
import type { MessageStatus, Statuses } from './statuses.js'

interface Sources {
  statuses: Statuses
  open(id: string): number | undefined
}

interface Given {
  id: string
  by: Jid
  to?: Jid
}

export function statusCommand(host: Host, { statuses, open }: Sources): Command {
  return {
    name: 'message status',
    summary: 'Tells what became of a message: stored, delivered or displayed',
    allow: 'admin',
    parameters: {
      id: {
        kind: 'text',
        doc: 'The id of the message in its archive; with "to", the id that its sender gave it',
        positional: true,
        required: true,
      },
      by: { kind: 'jid', doc: 'The account that sent it', required: true },
      to: { kind: 'jid', doc: 'The address that it was sent to' },
    },
    run: async (given: Given) => ({ rows: [row(await found(given))] }),
  }

  async function found({ id, by, to }: Given): Promise<MessageStatus> {
    const owner = await host.numberOf(by.bare)
    if (owner === 0 || by.domain !== host.domain)
      throw new StanzaError('item-not-found', `there is no account ${by.bare.text}`)
    const number = to ? await findCalled(host.messages, { owner, peer: to }, id) : open(id)
    const status = number === undefined ? undefined : await statuses.of(owner, number)
    if (!status)
      throw new StanzaError('item-not-found', `${by.bare.text} sent no message ${id} that is kept`)
    return status
  }
}

function row({ state, to, stored, delivered, displayed }: MessageStatus): Row {
  return {
    state,
    to: to.text,
    stored: stamp(stored),
    delivered: stamp(delivered),
    displayed: stamp(displayed),
  }
}

function stamp(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
