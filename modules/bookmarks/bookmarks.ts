// Bookmarks of rooms: one list for all clients of an account, whichever way they ask for it: an item for each
// room (XEP-0402), one item with all (XEP-0048), or private data (XEP-0049, XEP-0411). Whoever changes it in one
// form has changed it in all, and those who listen in another hear of it in theirs.

import { type Account, defineModule } from '../../lib/core/module.js'
import { integer } from '../../lib/ops/options.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import personalNodes, { type NodeRequest } from '../personal-nodes/personal-nodes.js'
import privateData from '../private-data.js'
import {
  addressOf,
  asList,
  type Bookmarks,
  elementOf,
  fromList,
  NO_BOOKMARKS,
  NS_BOOKMARKS,
  NS_STORAGE,
  textOf,
} from './conversion.js'
import { BookmarkStore, migrations } from './store.js'

/** XEP-0048 §3: the one item that has the list */
const CURRENT = 'current'
/** LIM-bookmark-text: characters of one, and of what else older clients keep in their list */
const MOST_TEXT = 8192
const MOST_REST = 32_768

interface Known extends Bookmarks {
  /** Here, and not as private data any more */
  readonly isKept: boolean
}

const config = {
  rooms: integer({ default: 500, min: 1, max: 10_000, doc: 'Most bookmarks of one account' }),
}

export default defineModule<undefined, typeof config>({
  name: 'bookmarks',
  summary: 'Keeps bookmarks of rooms for all clients, old and new',
  xeps: { 'XEP-0048': '1.2', 'XEP-0402': '1.2.0', 'XEP-0411': '1.1.0' },
  requires: [personalNodes, privateData],
  config,
  migrations,

  setup(host) {
    const store = new BookmarkStore(host.database.knex)
    const nodes = host.use(personalNodes)
    const pieces = host.use(privateData)

    nodes.serve({
      name: NS_BOOKMARKS,
      items: async (account) =>
        [...(await read(account)).rooms].map(([id, text]) => ({ id, payload: elementOf(text) })),
      publish,
      retract,
    })
    nodes.serve({
      name: NS_STORAGE,
      // XEP-0411 §4: clients of this form wait for it.
      greets: true,
      async items(account) {
        const all = await read(account)
        return isEmpty(all) ? [] : [{ id: CURRENT, payload: asList(all) }]
      },
      async publish(request, { payload }) {
        await replace(request, payload)
        return CURRENT
      },
      async retract(request, id) {
        const before = await read(request.account)
        if (id !== CURRENT || isEmpty(before)) throw new StanzaError('item-not-found')
        change(request, before, NO_BOOKMARKS)
      },
    })
    pieces.serve('storage', NS_STORAGE, {
      async get(account) {
        const all = await read(account)
        return isEmpty(all) ? undefined : asList(all)
      },
      set: (request, piece) => replace(request, piece),
    })

    return {
      disco: {
        account: [
          ...[`${NS_BOOKMARKS}#compat`, `${NS_BOOKMARKS}#compat-pep`],
          'urn:xmpp:bookmarks-conversion:0',
        ],
      },
      account: { forget: ({ number }, trx) => store.forget(number, trx) },
    }

    async function read({ number }: Account): Promise<Known> {
      const kept = await store.read(number)
      if (kept) return { ...kept, isKept: true }
      const older = await pieces.stored(number, 'storage', NS_STORAGE)
      const all = older === undefined ? NO_BOOKMARKS : fromList(elementOf(older), NO_BOOKMARKS)
      return { ...all, isKept: false }
    }

    /** XEP-0402 §3.3 */
    async function publish(
      request: NodeRequest,
      { id, payload }: { id: string; payload: Element },
    ): Promise<string> {
      const jid = addressOf(id)
      if (jid === undefined)
        throw new StanzaError('not-acceptable', 'a bookmark is named by the address of its room')
      if (!payload.is('conference', NS_BOOKMARKS))
        throw new StanzaError('bad-request', 'this is no bookmark of a room')
      const before = await read(request.account)
      change(request, before, {
        ...before,
        rooms: new Map([...before.rooms, [jid, textOf(payload)]]),
      })
      return jid
    }

    /** XEP-0402 §3.5 */
    async function retract(request: NodeRequest, id: string): Promise<void> {
      const before = await read(request.account)
      const jid = addressOf(id)
      if (jid === undefined || !before.rooms.has(jid)) throw new StanzaError('item-not-found')
      const rooms = new Map(before.rooms)
      rooms.delete(jid)
      change(request, before, { ...before, rooms })
    }

    async function replace(request: NodeRequest, storage: Element): Promise<void> {
      if (!storage.is('storage', NS_STORAGE))
        throw new StanzaError('bad-request', 'this is no list of bookmarks')
      const before = await read(request.account)
      change(request, before, fromList(storage, before))
    }

    /** XEP-0402 §5.3.2: nobody hears of what is as it was. */
    function change(request: NodeRequest, before: Known, after: Bookmarks): void {
      check(after)
      const { account, entry } = request
      const changed = new Map(
        [...after.rooms].filter(([jid, text]) => before.rooms.get(jid) !== text),
      )
      const gone = [...before.rooms.keys()].filter((jid) => !after.rooms.has(jid))
      const { rest } = after
      // What private data had so far is taken over with the first change.
      const all = before.isKept ? changed : after.rooms
      store.write(entry, account.number, { changed: all, gone, rest })
      if (!before.isKept) pieces.remove(entry, account.number, 'storage', NS_STORAGE)
      if (changed.size === 0 && gone.length === 0 && before.rest === rest) return
      request.after(() => tell(account, { changed, gone, after }))
    }

    function check({ rooms, rest }: Bookmarks): void {
      if (rooms.size > host.config.rooms)
        throw new StanzaError('resource-constraint', 'there are too many bookmarks')
      const isLong = [...rooms.values()].some((text) => text.length > MOST_TEXT)
      if (isLong || rest.length > MOST_REST)
        throw new StanzaError('not-acceptable', 'this bookmark is too large')
    }

    function tell(
      { jid }: Account,
      {
        changed,
        gone,
        after,
      }: { changed: Bookmarks['rooms']; gone: readonly string[]; after: Bookmarks },
    ): void {
      for (const [id, text] of changed)
        nodes.notify(jid, { node: NS_BOOKMARKS, items: [{ id, payload: elementOf(text) }] })
      for (const id of gone) nodes.notify(jid, { node: NS_BOOKMARKS, retracted: [id] })
      nodes.notify(jid, { node: NS_STORAGE, items: [{ id: CURRENT, payload: asList(after) }] })
    }
  },
})

function isEmpty({ rooms, rest }: Bookmarks): boolean {
  return rooms.size === 0 && rest === ''
}
