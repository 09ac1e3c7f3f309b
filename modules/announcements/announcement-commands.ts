// The commands of announcements, with the nodes and fields of XEP-0133 §4.23 to §4.28.

import type { Command, Parameter } from '../../lib/core/commands.js'
import { without } from '../../lib/core/everywhere.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import type { Kind } from './announcement-store.js'
import type { Board, Told } from './announcements.js'

const ADMIN = 'http://jabber.org/protocol/admin'
/** LIM-announcement: characters of one */
const MOST = 10_000

export function announcementCommands(board: Board): Command[] {
  return [
    {
      name: 'announcement send',
      summary: 'Sends a message to everybody who is online',
      allow: 'admin',
      node: `${ADMIN}#announce`,
      parameters: { text: text('announcement') },
      run: async ({ text: lines }) => ({
        note: told('was sent', await board.announce(joined(lines))),
      }),
    },
    ...motdCommands(board),
    ...welcomeCommands(board),
  ]
}

function motdCommands(board: Board): Command[] {
  const parameters = { text: text('motd') }
  return [
    {
      name: 'motd set',
      summary: 'Sets a message of the day: everybody is told once, now or when they come online',
      allow: 'admin',
      node: `${ADMIN}#set-motd`,
      parameters,
      async run({ text: lines }) {
        return { note: told('was set and sent', await board.setMotd(joined(lines))) }
      },
    },
    {
      name: 'motd edit',
      summary: 'Changes the message of the day; who was told is not told again',
      allow: 'admin',
      node: `${ADMIN}#edit-motd`,
      parameters,
      current: () => now(board, 'motd'),
      async run({ text: lines }) {
        if (!(await board.edit('motd', joined(lines)))) throw nothingSet()
        return { note: 'the message of the day was changed' }
      },
    },
    removing(board, 'motd', 'the message of the day'),
  ]
}

function welcomeCommands(board: Board): Command[] {
  return [
    {
      name: 'welcome set',
      summary: 'Sets what new users are told when they come online for the first time',
      allow: 'admin',
      node: `${ADMIN}#set-welcome`,
      parameters: { text: text('welcome') },
      // XEP-0133 §4.27
      current: () => now(board, 'welcome'),
      async run({ text: lines }) {
        await board.set('welcome', joined(lines))
        return { note: 'the welcome message was set' }
      },
    },
    removing(board, 'welcome', 'the welcome message'),
  ]
}

function removing(board: Board, kind: Kind, what: string): Command {
  return {
    name: `${kind} delete`,
    summary: `Takes ${what} away`,
    allow: 'admin',
    node: `${ADMIN}#delete-${kind}`,
    parameters: {},
    async run() {
      if (!(await board.remove(kind))) throw nothingSet()
      return { note: `${what} was taken away` }
    },
  }
}

function text(field: string): Parameter {
  return { kind: 'lines', doc: 'What is said', positional: true, required: true, field }
}

function joined(lines: readonly string[]): string {
  const whole = lines.join('\n').trimEnd()
  if (whole === '') throw new StanzaError('bad-request', 'there is nothing to say')
  if (whole.length > MOST)
    throw new StanzaError('not-acceptable', `at most ${MOST} characters are allowed`)
  return whole
}

async function now(board: Board, kind: Kind): Promise<Record<string, readonly string[]>> {
  const said = await board.text(kind)
  return said === undefined ? {} : { text: said.split('\n') }
}

function told(what: string, { sessions, silent }: Told): string {
  const count = `${sessions} ${sessions === 1 ? 'session' : 'sessions'}`
  return `${what} to ${count}${without(silent)}`
}

function nothingSet(): StanzaError {
  return new StanzaError('item-not-found', 'there is none')
}
