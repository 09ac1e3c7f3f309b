// A long archive in Tercet's own message log, through the log itself: only the clock is ours, so that
// the messages have the times of the corpus. Nobody is owed them: the account has taken them all. Where
// words are looked for their index is filled as well, which the server would do behind its work, and take
// longer.
import { join } from 'node:path'
import { type Kept, kept, OWNER, timeOf } from '../generator/corpus.js'
import { systemClock } from '../../lib/ops/clock.js'
import { Database } from '../../lib/storage/database.js'
import {
  INCOMING,
  KEPT,
  LoggedMessage,
  OUTGOING,
  type Side,
  UNREAD,
} from '../../lib/storage/logged-message.js'
import { type MessageLog, openMessageLog } from '../../lib/storage/message-log.js'
import { hash53 } from '../../lib/xmpp/hash53.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { documentOf } from '../../modules/search/document.js'
import { PostgresWords } from '../../modules/search/postgres-words.js'
import { SqliteWords } from '../../modules/search/sqlite-words.js'
import { DOMAIN, type Site } from './peer.js'

/** Messages of one commit. */
const GROUP = 2000

const address = (name: string) => Jid.parse(`${name}@${DOMAIN}`)
const session = (name: string) => Jid.parse(`${name}@${DOMAIN}/bench`)

function logged(message: Kept, owner: number): LoggedMessage {
  const { contact, outgoing, id, body } = message
  const [from, to] = outgoing ? [OWNER, contact] : [contact, OWNER]
  const made = new LoggedMessage({
    from: session(from),
    to: address(to),
    text: `<message type='chat' id='${id}'><body>${body}</body></message>`,
    label: hash53(id),
    key: '',
    author: outgoing ? owner : 0,
  })
  const side: Side = { owner, flags: KEPT | (outgoing ? OUTGOING : INCOMING | UNREAD) }
  if (outgoing) made.sender = side
  else made.recipient = side
  return made
}

class Filling {
  private readonly database: Database
  private readonly messages: number
  private now: number
  private month = -1
  private last = 0

  constructor(database: Database, messages: number) {
    this.database = database
    this.messages = messages
    this.now = timeOf(0, messages)
  }

  async run(words: boolean): Promise<void> {
    const log = await openMessageLog(this.database, { ...systemClock, now: () => this.now })
    const { number } = await this.database.knex('accounts').where({ local: OWNER }).first()
    for (let first = 0; first < this.messages; first += GROUP) await this.group(log, first, number)
    await log.indexed()
    if (words) await this.indexWords(log)
    await log.close()
    await this.database.knex('taken').insert({ account: number, id: this.last })
    await this.tidyUp()
  }

  private async group(log: MessageLog, first: number, owner: number): Promise<void> {
    this.now = timeOf(first, this.messages)
    await this.enterMonth(log)
    const count = Math.min(GROUP, this.messages - first)
    const group = Array.from({ length: count }, (_, i) =>
      logged(kept(first + i, this.messages), owner),
    )
    log.written(group, await this.database.write(log.writes(group)))
    this.last = group.at(-1)!.id
  }

  /** As the daily task would have: on PostgreSQL each month has its tables. */
  private async enterMonth(log: MessageLog): Promise<void> {
    const month = new Date(this.now).getUTCMonth()
    if (month !== this.month) await log.tidy()
    this.month = month
  }

  private async indexWords(log: MessageLog): Promise<void> {
    const { database } = this
    const words =
      database.kind === 'sqlite' ? new SqliteWords(database) : new PostgresWords(database)
    for (let read = GROUP; read === GROUP; ) {
      await words.advance(async (after) => {
        const messages = await log.scan(after, GROUP)
        read = messages.length
        const documents = messages.flatMap((message) => documentOf(message) ?? [])
        return { upTo: messages.at(-1)?.id ?? after, documents }
      })
    }
  }

  private async tidyUp(): Promise<void> {
    const { knex, kind } = this.database
    await knex.raw(kind === 'postgres' ? 'vacuum analyze' : 'pragma wal_checkpoint(truncate)')
  }
}

export async function fillTercet({ folder, setting }: Site, messages: number): Promise<void> {
  const url = setting.database ?? 'sqlite'
  const place = { url, folder: join(folder, 'data'), durability: 'crash', limit: 0 } as const
  const database = await Database.open(place)
  try {
    await new Filling(database, messages).run(!setting.unsearched)
  } finally {
    await database.close()
  }
}
