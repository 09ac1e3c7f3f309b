// Ad-Hoc Commands: every command that a module declares, for who may use it: the host's
// administrators on the host and on their own address, users on their own.

import { type Command, type CommandResult, readArguments } from '../../lib/core/commands.js'
import {
  defineModule,
  type DiscoItem,
  type DiscoQuestion,
  type IqRequest,
} from '../../lib/core/module.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { NS_FORMS, readForm } from '../../lib/xmpp/forms.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { argumentsOf, parametersForm, resultForm } from './command-form.js'

const NS_COMMANDS = 'http://jabber.org/protocol/commands'

/** LIM-command-sessions: forms handed out and not yet sent back */
const MOST_SESSIONS = 1000

type Status = 'executing' | 'completed' | 'canceled'

interface Open {
  node: string
  who: string
}

export default defineModule({
  name: 'commands',
  summary: 'Lets administrators and users run commands from their client',
  xeps: { 'XEP-0050': '1.3.0', 'XEP-0133': '1.3.1' },

  setup(host) {
    const open = new Map<string, Open>()
    return {
      disco: { server: [NS_COMMANDS], account: [NS_COMMANDS], nodeInfo, nodeItems },
      iq: [
        { set: 'command', xmlns: NS_COMMANDS, to: 'host', allow: 'anyone', answer },
        { set: 'command', xmlns: NS_COMMANDS, to: 'account', allow: 'self', answer },
      ],
    }

    function nodeOf(command: Command): string {
      return command.node ?? command.name.replaceAll(' ', '-')
    }

    function offered(asker: Jid, to: Jid): Command[] {
      const all = [...host.offered('commands')].flatMap(({ offer }) => offer)
      return all.filter((command) => may(command, asker, to))
    }

    function may(command: Command, asker: Jid, to: Jid): boolean {
      if (command.allow === 'admin') return host.isAdmin(asker)
      return (
        asker.domain === host.domain && asker.local !== '' && (to.isDomain || to.equals(asker.bare))
      )
    }

    // XEP-0050 §2.1
    function nodeItems({ node, asker, to }: DiscoQuestion): DiscoItem[] | undefined {
      if (node !== NS_COMMANDS) return undefined
      return offered(asker, to).map((command) => ({
        jid: to.text,
        node: nodeOf(command),
        name: command.summary,
      }))
    }

    // XEP-0050 §2.2
    function nodeInfo({ node, asker, to }: DiscoQuestion): Element[] | undefined {
      if (node === NS_COMMANDS) return [identity('command-list', 'Commands')]
      const command = offered(asker, to).find((candidate) => nodeOf(candidate) === node)
      if (!command) return undefined
      return [
        identity('command-node', command.summary),
        xml('feature', { var: NS_COMMANDS }),
        xml('feature', { var: NS_FORMS }),
      ]
    }

    async function answer(request: IqRequest): Promise<Element> {
      const { node = '', action = 'execute', sessionid } = request.element.attrs
      const command = find(node, request)
      if (sessionid === undefined) return begin(command, request, action)
      const session = open.get(sessionid)
      // XEP-0050 §4.4: only who began it goes on with it.
      if (!session || session.node !== node || session.who !== request.from.text)
        throw refusal('bad-request', 'bad-sessionid')
      open.delete(sessionid)
      if (action === 'cancel') return reply(node, { status: 'canceled', sessionid })
      if (!['execute', 'complete', 'next'].includes(action))
        throw refusal('bad-request', 'bad-action')
      return finish(command, request, sessionid)
    }

    function find(node: string, request: IqRequest): Command {
      const all = [...host.offered('commands')].flatMap(({ offer }) => offer)
      const command = all.find((candidate) => nodeOf(candidate) === node)
      // Who may see no command at all learns nothing of which there are.
      if (!command) throw new StanzaError('item-not-found')
      if (!may(command, request.from, request.to)) throw new StanzaError('forbidden')
      return command
    }

    async function begin(command: Command, request: IqRequest, action: string): Promise<Element> {
      if (action !== 'execute') throw refusal('bad-request', 'bad-action')
      const sessionid = host.random.id()
      if (Object.keys(command.parameters).length === 0) return finish(command, request, sessionid)
      const current = await command.current?.({ host, by: request.from.bare })
      if (open.size >= MOST_SESSIONS) open.delete(open.keys().next().value!)
      open.set(sessionid, { node: nodeOf(command), who: request.from.text })
      const actions = xml('actions', { execute: 'complete' }, xml('complete'))
      const form = parametersForm(command, current)
      return reply(nodeOf(command), { status: 'executing', sessionid }, actions, form)
    }

    async function finish(
      command: Command,
      request: IqRequest,
      sessionid: string,
    ): Promise<Element> {
      const submitted = readForm(request.element)
      if (submitted?.type === 'cancel')
        return reply(nodeOf(command), { status: 'canceled', sessionid })
      const given = submitted ? argumentsOf(command, submitted) : {}
      const result = await command.run(readArguments(command, given), {
        host,
        by: request.from.bare,
      })
      return completed(command, { node: nodeOf(command), sessionid }, result)
    }
  },
})

function completed(
  command: Command,
  { node, sessionid }: { node: string; sessionid: string },
  result: CommandResult,
): Element {
  const note = result.note === undefined ? undefined : xml('note', { type: 'info' }, result.note)
  return reply(node, { status: 'completed', sessionid }, note, resultForm(command, result))
}

function reply(
  node: string,
  state: { status: Status; sessionid: string },
  ...children: (Element | undefined)[]
): Element {
  return xml('command', { xmlns: NS_COMMANDS, node, ...state }, ...children)
}

function identity(type: string, name: string): Element {
  return xml('identity', { category: 'automation', type, name })
}

/** XEP-0050 §4.4 */
function refusal(condition: 'bad-request' | 'not-allowed', name: string): StanzaError {
  return new StanzaError(condition, undefined, { application: { name, xmlns: NS_COMMANDS } })
}
