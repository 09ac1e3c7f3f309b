// The inbox (XEP-0430): an account's conversations by their last activity, each with its newest message
// and how many of it were not displayed yet. Nothing of it is stored: it is counted in the index of the
// messages, whose rows come and go with them, so it cannot disagree with the archive.

import { untilRoom } from '../../lib/core/long-answers.js'
import { defineModule, type IqRequest } from '../../lib/core/module.js'
import { integer } from '../../lib/ops/options.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { NS_INBOX } from '../../lib/xmpp/message-children.js'
import { resultSet } from '../../lib/xmpp/result-set.js'
import archive from '../archive/archive.js'
import readState from '../read-state/read-state.js'
import { Conversations, type Counted, type Shown } from './conversations.js'
import { writeEntry } from './entries.js'
import { pageOf } from './page.js'
import { type Question, readQuestion } from './question.js'

/** So many conversations are counted for the price of one query; to show one is as much as ten. */
const COUNTED_FOR_ONE = 250
const SHOWN_AS = 10

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
    const kept = host.use(archive)
    const { seal, pace, others } = kept
    const conversations = new Conversations(host.messages, host.use(readState), others)
    const limits = { page: host.config.page, most: host.config.longest_page }
    return {
      disco: { server: [NS_INBOX], account: [NS_INBOX] },
      iq: [
        { get: 'inbox', xmlns: NS_INBOX, to: 'account', allow: 'self', reads: true, answer: show },
      ],
    }

    async function show(request: IqRequest): Promise<Element> {
      const { session } = request
      if (!session) throw new StanzaError('service-unavailable')
      const question = readQuestion(request, limits)
      await pace?.turn(session.number)
      if (session.closed) throw new StanzaError('recipient-unavailable')
      const all = await conversations.of(session)
      const unread = all.filter((one) => one.unread > 0)
      const asked = question.unreadOnly ? unread : all
      const page = await shown(session.number, pageOf(asked, question, kept.open), question)
      pace?.pay(session.number, (all.length + page.length * SHOWN_AS) / COUNTED_FOR_ONE)
      await untilRoom(session)
      for (const one of page) writeEntry(session, one, { archive: kept, queryId: question.queryId })
      return fin(all, { unread, asked, page: page.map(({ conversation }) => conversation) })
    }

    function shown(
      owner: number,
      page: readonly Counted[],
      question: Question,
    ): Shown[] | Promise<Shown[]> {
      if (question.messages)
        return conversations.shown(owner, page, question.page.before !== undefined)
      return page.map((conversation) => ({ conversation, message: undefined }))
    }

    /** XEP-0430 §4: the totals are those of the whole inbox, the set's count is that of what was asked. */
    function fin(all: readonly Counted[], { unread, asked, page }: Parts): Element {
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

interface Parts {
  unread: readonly Counted[]
  asked: readonly Counted[]
  page: readonly Counted[]
}
