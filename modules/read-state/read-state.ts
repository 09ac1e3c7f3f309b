// How far an account has displayed each of its conversations, whichever of its devices did: told by the
// markers that it sends (XEP-0333) and by what a client adds to a message for its own server (XEP-0490
// §6), which nobody else sees. It only moves forward. What the account sends is neutral (XEP-0490 §5),
// so that a message written by a device that had not seen the last ones hides none of them.

import { defineModule } from '../../lib/core/module.js'
import type { Passage } from '../../lib/core/pipeline.js'
import { findCalled } from '../../lib/storage/called.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import type { Envelope } from '../../lib/xmpp/envelope.js'
import type { Jid } from '../../lib/xmpp/jid.js'
import { type Reference, referredId } from '../../lib/xmpp/message-references.js'
import archive from '../archive/archive.js'
import type { OtherArchive } from '../archive/other-archives.js'
import { DisplayedStore, migrations } from './displayed-store.js'
import { findNumbered, NS_DISPLAYED, readMark, type ShownMark } from './references.js'

export interface Displayed {
  readonly account: Jid
  readonly number: number
  /** Bare: the conversation */
  readonly peer: Jid
  /** Of the newest message that was displayed, in the log */
  readonly id: number
}

/** For whoever publishes how far conversations were displayed (XEP-0490 §4, §6). */
declare module '../../lib/core/events.js' {
  interface Events {
    /** On disk: a conversation was displayed further than before. */
    'read-state:displayed': Displayed
    /** XEP-0490 §6: what is to be published, word for word. Nothing in it was checked. */
    'read-state:assist': { account: Jid; number: number; item: string; mark: ShownMark }
  }
}

/** What a stanza leaves behind, and what happens when it has: a passage, or an iq. */
export interface Leaving {
  readonly entry: JournalEntry
  after(effect: () => void): void
}

export interface ReadState {
  /** The number in the log up to which an account has displayed a conversation; 0 for nothing. */
  displayed(account: number, peer: Jid): Promise<number>
  /** Of all conversations, by bare address */
  allDisplayed(account: number): Promise<ReadonlyMap<string, number>>
  /** With the stanza that says so; false where it was so already. */
  setDisplayed(leaving: Leaving, displayed: Displayed): Promise<boolean>
}

/** What a message says of what was displayed */
interface Shown {
  readonly mark: ShownMark | undefined
  /** By a marker */
  readonly shown: string | undefined
}

const marks = new WeakMap<Passage, ShownMark>()

export default defineModule<ReadState>({
  name: 'read-state',
  summary: 'Remembers how far conversations were read, for all devices of an account',
  requires: [archive],
  migrations,

  setup(host) {
    const store = new DisplayedStore(host.database)
    const { open, others } = host.use(archive)

    return {
      provides: {
        displayed: (account, peer) => store.of(account, peer),
        allDisplayed: (account) => store.all(account),
        setDisplayed,
      },
      hooks: { 'message:sent': { admit: look, amend: strip, record } },
      account: { forget: ({ number }, trx) => store.forget(number, trx) },
    }

    function look({ stanza }: Envelope, passage: Passage): void {
      const mark = stanza.hasNamespace(NS_DISPLAYED) ? readMark(stanza) : undefined
      if (mark) marks.set(passage, mark)
    }

    /** XEP-0490 §6: before it is kept, delivered or copied. */
    function strip(envelope: Envelope): Envelope | undefined {
      if (!envelope.stanza.hasNamespace(NS_DISPLAYED)) return undefined
      const stanza = envelope.stanza.without(
        ({ name, xmlns }) => name === 'displayed' && xmlns === NS_DISPLAYED,
      )
      return envelope.with({ stanza })
    }

    function record({ stanza, to }: Envelope, passage: Passage): Promise<void> | undefined {
      const mark = marks.get(passage)
      const marker = stanza.type === 'error' ? undefined : referredId(stanza)
      if (mark === undefined && marker?.kind !== 'displayed') return undefined
      if (mark) assist(passage, to, mark)
      return note(passage, { to, mark, marker })
    }

    function assist(passage: Passage, to: Jid, mark: ShownMark): void {
      const { account, session } = passage
      const event = { account, number: session?.number ?? 0, item: to.text, mark }
      passage.after(() => host.server.pending(host.events.emit('read-state:assist', event)))
    }

    async function note(
      passage: Passage,
      { to, mark, marker }: { to: Jid; mark: ShownMark | undefined; marker: Reference | undefined },
    ): Promise<void> {
      const number = passage.session?.number ?? 0
      const peer = to.bare
      const room = await others.find(passage.account, peer)
      const shown = marker?.kind === 'displayed' ? marker.id : undefined
      const found = await (room
        ? inRoom(room, { mark, shown })
        : inOwn(passage.account, { owner: number, peer }, { mark, shown }))
      const id = Math.max(...found.map((one) => one ?? 0))
      if (id > 0) await setDisplayed(passage, { account: passage.account, number, peer, id })
    }

    function inOwn(
      account: Jid,
      conversation: { owner: number; peer: Jid },
      { mark, shown }: Shown,
    ): Promise<(number | undefined)[]> {
      // XEP-0490 §3: outside of rooms the id is the one of the account's own archive.
      const marked = mark?.by === account.text ? open(mark.id) : undefined
      return Promise.all([
        marked === undefined ? marked : findNumbered(host.messages, conversation, marked),
        shown === undefined ? shown : findCalled(host.messages, conversation, shown),
      ])
    }

    /** XEP-0490 §3, XEP-0333 §4.1: in rooms it is the one that the room gave. */
    function inRoom(room: OtherArchive, { mark, shown }: Shown): Promise<(number | undefined)[]> {
      const ids = [mark?.by === room.peer.text ? mark.id : undefined, shown]
      return Promise.all(
        ids.map((id) => {
          const number = id === undefined ? undefined : open(id)
          return number === undefined ? number : findNumbered(host.messages, room, number)
        }),
      )
    }

    async function setDisplayed(leaving: Leaving, displayed: Displayed): Promise<boolean> {
      const { number, peer, id } = displayed
      if ((await store.of(number, peer)) >= id) return false
      store.put(leaving.entry, number, { peer, id })
      leaving.after(() => host.server.pending(host.events.emit('read-state:displayed', displayed)))
      return true
    }
  },
})
