// The inbox (XEP-0430): an account's conversations by their last activity, each with its newest message
// and how many of it were not displayed yet. Nothing of it is stored: it is counted in the index of the
// messages, whose rows come and go with them, so it cannot disagree with the archive.

import { defineModule, type IqRequest } from '../../lib/core/module.js'
import { integer } from '../../lib/ops/options.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { resultSet } from '../../lib/xmpp/result-set.js'
import archive from '../archive/archive.js'
import { QueryPace } from '../archive/query-pace.js'
import readState from '../read-state/read-state.js'
import { type Conversation, Conversations } from './conversations.js'
import { writeEntry } from './entries.js'
import { pageOf } from './page.js'
import { NS_INBOX, readQuestion } from './question.js'

export default defineModule({
  name: 'inbox',
  summary: 'Shows conversations with their last message and how many are unread',
  xeps: { 'XEP-0430': '0.2.0' },
  requires: [archive, readState],
  config: {
    page: integer({
      default: 50,
      min: 1,
      max: 100,
      doc: 'Conversations of one page, where the client does not say how many it wants',
    }),
    longest_page: integer({
      default: 100,
      min: 1,
      max: 500,
      doc: 'Most conversations of one page',
    }),
  },

  setup(host) {
    const { seal, open } = host.use(archive)
    const conversations = new Conversations(host.messages, host.use(readState))
    const pace = host.server.settings.limits === 'off' ? undefined : new QueryPace(host.clock)
    const limits = { page: host.config.page, most: host.config.longest_page }
    return {
      disco: { server: [NS_INBOX], account: [NS_INBOX] },
      iq: [
        { get: 'inbox', xmlns: NS_INBOX, to: 'account', allow: 'self', reads: true, answer: show },
      ],
      close: () => pace?.close(),
    }

    async function show(request: IqRequest): Promise<Element> {
      const { session } = request
      if (!session) throw new StanzaError('service-unavailable')
      const question = readQuestion(request, limits)
      await pace?.turn(session.number)
      const all = await conversations.of(session.number)
      const unread = all.filter((one) => one.unread > 0)
      const asked = question.unreadOnly ? unread : all
      const page = pageOf(asked, question, open)
      const latest = question.messages
        ? await Promise.all(page.map((one) => conversations.latest(session.number, one)))
        : []
      for (const [i, one] of page.entries())
        writeEntry(session, one, { question, seal, latest: latest[i] })
      return fin(all, { unread, asked, page })
    }

    /** XEP-0430 §4: the totals are those of the whole inbox, the set's count is that of what was asked. */
    function fin(all: readonly Conversation[], { unread, asked, page }: Shown): Element {
      const [first, last] = [page[0], page.at(-1)]
      const ends = first && last ? { first: seal(first.id), last: seal(last.id) } : {}
      const index = first && asked.indexOf(first)
      return xml(
        'fin',
        {
          xmlns: NS_INBOX,
          total: String(all.length),
          unread: String(unread.length),
          'all-unread': String(unread.reduce((sum, one) => sum + one.unread, 0)),
        },
        resultSet({ ...ends, index, count: asked.length }),
      )
    }
  },
})

interface Shown {
  unread: readonly Conversation[]
  asked: readonly Conversation[]
  page: readonly Conversation[]
}
