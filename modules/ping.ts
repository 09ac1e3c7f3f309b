// XMPP Ping: answers whoever wants to know whether we are here, and asks clients that fell silent.
// A client that does not answer in time is gone: its stream ends, its contacts are told. Any answer
// will do, an error too, and so does any other sign of life.

import { xml } from '../lib/xmpp/element.js'
import { StreamError } from '../lib/xmpp/errors.js'
import { defineModule } from '../lib/core/module.js'
import type { Session } from '../lib/core/session.js'
import { duration } from '../lib/ops/options.js'

const NS_PING = 'urn:xmpp:ping'

export default defineModule({
  name: 'ping',
  summary: 'Answers pings and notices clients that are gone without a word',
  xeps: { 'XEP-0199': '2.0.1' },
  config: {
    silence: duration({
      default: '10 minutes',
      min: '10 s',
      max: 'never',
      doc: 'A client that was silent for so long is asked whether it is there',
    }),
    patience: duration({
      default: '30 s',
      min: '5 s',
      doc: 'How long it may take to answer before it counts as gone',
    }),
  },

  setup(host) {
    const { silence, patience } = host.config
    const asked = new WeakSet<Session>()
    return {
      disco: { server: [NS_PING], account: [NS_PING] },
      iq: [
        { get: 'ping', xmlns: NS_PING, to: 'host', allow: 'anyone', reads: true, answer },
        { get: 'ping', xmlns: NS_PING, to: 'account', allow: 'subscriber', reads: true, answer },
      ],
      commands: [
        {
          name: 'ping',
          summary: 'Shows that the server answers',
          allow: 'account',
          node: 'ping',
          parameters: {},
          run: () => ({ note: `Pong at ${new Date(host.clock.now()).toISOString()}` }),
        },
      ],
      tasks:
        silence === Infinity
          ? []
          : [{ name: 'notice silence', every: silence / 2, run: noticeSilence }],
    }

    function answer() {}

    function noticeSilence(): void {
      const since = host.clock.now() - silence
      for (const session of host.sessions.all()) {
        if (heard(session) <= since && !asked.has(session)) askWhetherThere(session)
      }
    }

    function askWhetherThere(session: Session): void {
      const before = heard(session)
      asked.add(session)
      const question = { type: 'get', from: host.jid, to: session.jid } as const
      host.iq.ask(xml('ping', NS_PING), question).catch(() => {})
      host.clock.after(patience, () => {
        asked.delete(session)
        if (heard(session) <= before) session.close(new StreamError('connection-timeout'))
      })
    }
  },
})

/** A session without a stream is not for us to judge. */
function heard(session: Session): number {
  return session.stream?.heard ?? Number.POSITIVE_INFINITY
}
