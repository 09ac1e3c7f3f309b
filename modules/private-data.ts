// Private XML Storage: small pieces of XML that a client keeps for itself, one for each element name
// and namespace. Bounded in size and number for each account (LIM-private-data). What another module keeps
// in its own way is asked of that.

import type { Knex } from 'knex'
import { cutOut } from '../lib/xmpp/cut-out.js'
import { type Element, elements, fromWire, serialize, toWire, xml } from '../lib/xmpp/element.js'
import { StanzaError } from '../lib/xmpp/errors.js'
import { parseTree } from '../lib/xmpp/tree.js'
import type { Later } from '../lib/core/later.js'
import { type Account, defineModule, type IqRequest } from '../lib/core/module.js'
import type { JournalEntry } from '../lib/storage/journal.js'
import type { Migration } from '../lib/storage/migrations.js'
import { bytes, integer } from '../lib/ops/options.js'
import accounts from './accounts/accounts.js'

const NS_PRIVATE = 'jabber:iq:private'

export const migrations: readonly Migration[] = [
  {
    name: 'create private_data',
    up: (schema) =>
      schema.createTable('private_data', (table) => {
        table.bigInteger('account').notNullable()
        table.text('name').notNullable()
        table.text('xmlns').notNullable()
        table.text('content').notNullable()
        table.primary(['account', 'name', 'xmlns'])
      }),
  },
]

interface Row {
  account: number
  name: string
  xmlns: string
  content: string
}

export class PrivateDataStore {
  readonly #reader: Knex

  constructor(reader: Knex) {
    this.#reader = reader
  }

  async get(account: number, name: string, xmlns: string): Promise<string | undefined> {
    const row: Row | undefined = await this.#reader('private_data')
      .where({ account, name, xmlns })
      .first()
    return row?.content
  }

  async names(account: number): Promise<Pick<Row, 'name' | 'xmlns'>[]> {
    return this.#reader('private_data').where({ account }).select('name', 'xmlns')
  }

  remove(entry: JournalEntry, { account, name, xmlns }: Omit<Row, 'content'>): void {
    entry.write(
      async (trx) => void (await trx('private_data').where({ account, name, xmlns }).delete()),
    )
  }

  /** Of rows of one name the last counts. */
  put(entry: JournalEntry, given: readonly Row[]): void {
    // PostgreSQL refuses one statement that writes a row twice.
    const byName = new Map(given.map((row) => [`${row.account} ${row.xmlns} ${row.name}`, row]))
    const rows = [...byName.values()]
    entry.write(async (trx) => {
      await trx('private_data')
        .insert(rows)
        .onConflict(['account', 'name', 'xmlns'])
        .merge(['content'])
    })
  }
}

/** A piece that another module keeps in its own way */
export interface ServedPiece {
  get(account: Account): Later<Element | undefined>
  set(request: PieceRequest, piece: Element): Later<void>
}

export interface PieceRequest {
  readonly account: Account
  /** On disk before the answer leaves */
  readonly entry: JournalEntry
  /** When it is */
  after(effect: () => void): void
}

export interface PrivateData {
  /** From now on this piece is another module's. */
  serve(name: string, xmlns: string, piece: ServedPiece): void
  /** What is kept here of an account, as text */
  stored(account: number, name: string, xmlns: string): Promise<string | undefined>
  remove(entry: JournalEntry, account: number, name: string, xmlns: string): void
}

const config = {
  size: bytes({ default: '64 KiB', doc: 'Most bytes of one piece' }),
  pieces: integer({ default: 100, min: 1, doc: 'Most pieces of one account' }),
}

export default defineModule<PrivateData, typeof config>({
  name: 'private-data',
  summary: 'Keeps small pieces of XML for clients',
  xeps: { 'XEP-0049': '1.2' },
  requires: [accounts],
  config,
  migrations,

  setup(host) {
    const store = new PrivateDataStore(host.database.knex)
    const served = new Map<string, ServedPiece>()
    return {
      provides: {
        serve: (name, xmlns, piece) => void served.set(`${xmlns} ${name}`, piece),
        stored: (account, name, xmlns) => store.get(account, name, xmlns),
        remove: (entry, account, name, xmlns) => store.remove(entry, { account, name, xmlns }),
      },
      disco: { server: [NS_PRIVATE], account: [NS_PRIVATE] },
      iq: [
        { get: 'query', xmlns: NS_PRIVATE, to: 'account', allow: 'self', reads: true, answer: get },
        { set: 'query', xmlns: NS_PRIVATE, to: 'account', allow: 'self', answer: set },
      ],
      account: {
        forget: async (account, trx) =>
          void (await trx('private_data').where({ account: account.number }).del()),
      },
    }

    // XEP-0049 §2: the piece, or the empty element that was asked for.
    async function get(request: IqRequest): Promise<Element> {
      const wanted = elements(request.element)[0]
      if (!wanted) throw new StanzaError('bad-request', 'name what you want')
      const [name, xmlns] = nameOf(wanted)
      const account = await accountOf(request)
      const elsewhere = served.get(`${xmlns} ${name}`)
      const kept = elsewhere ? undefined : await store.get(account.number, name, xmlns)
      const found = elsewhere
        ? await elsewhere.get(account)
        : kept === undefined
          ? undefined
          : parseTree(toWire(kept))
      return xml('query', NS_PRIVATE, found ?? cutOut(wanted))
    }

    async function set(request: IqRequest): Promise<undefined> {
      const pieces = elements(request.element)
      if (pieces.length === 0) throw new StanzaError('not-acceptable', 'there is nothing to keep')
      const account = await accountOf(request)
      const rows: Row[] = []
      for (const piece of pieces) {
        const [name, xmlns] = nameOf(piece)
        const elsewhere = served.get(`${xmlns} ${name}`)
        if (elsewhere) await elsewhere.set(pieceRequest(account, request), cutOut(piece))
        else rows.push(row(account.number, piece))
      }
      if (rows.length > 0) await keep(request, account.number, rows)
      return undefined
    }

    async function keep(request: IqRequest, account: number, rows: readonly Row[]): Promise<void> {
      const known = new Set(
        [...(await store.names(account)), ...rows].map(({ name, xmlns }) => `${xmlns} ${name}`),
      )
      if (known.size > host.config.pieces)
        throw new StanzaError('resource-constraint', 'too many pieces')
      store.put(request.entry, rows)
    }

    function row(account: number, piece: Element): Row {
      const [name, xmlns] = nameOf(piece)
      const wire = serialize(cutOut(piece))
      if (wire.length > host.config.size)
        throw new StanzaError('resource-constraint', 'this piece is too large')
      return { account, name, xmlns, content: fromWire(wire) }
    }

    async function accountOf(request: IqRequest): Promise<Account> {
      const account = await host.accounts?.lookup(request.to.local)
      if (!account) throw new StanzaError('item-not-found')
      return account
    }
  },
})

function pieceRequest(account: Account, request: IqRequest): PieceRequest {
  return { account, entry: request.entry, after: (effect) => request.after(effect) }
}

// XEP-0049 §2.3: each piece names a namespace of its own.
function nameOf(element: Element): [name: string, xmlns: string] {
  const xmlns = element.getNS()
  if (!xmlns || xmlns === NS_PRIVATE || xmlns === 'jabber:client')
    throw new StanzaError('not-acceptable', 'it needs a namespace of its own')
  return [element.getName(), xmlns]
}
