// ejabberd's SQL schema, and a long archive in it, as its mod_mam writes it.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kept, kept, OWNER, stanzaOf } from '../generator/corpus.js'
import { connected, execute, fillDatabase, fillFile, type Table, type Value } from './bulk.js'
import { DOMAIN, type Site } from './peer.js'

const SCHEMAS = '/usr/share/ejabberd/sql'

const TABLE: Table = {
  name: 'archive',
  columns: {
    ...{ username: 'text', timestamp: 'bigint', peer: 'text', bare_peer: 'text' },
    ...{ xml: 'text', txt: 'text', kind: 'text', nick: 'text' },
  },
}

export const databaseFile = (folder: string) => join(folder, 'ejabberd.sqlite')

export async function createTables({ folder, setting }: Site): Promise<void> {
  const schema = (name: string) => readFileSync(join(SCHEMAS, name), 'utf8')
  if (setting.store === 'sqlite') execute(databaseFile(folder), schema('lite.sql'))
  if (setting.database) {
    await connected(setting.database, (client) => client.query(schema('pg.sql')))
  }
}

function row(message: Kept): Value[] {
  const contact = `${message.contact}@${DOMAIN}`
  const peer = message.outgoing ? contact : `${contact}/bench`
  const stanza = stanzaOf(message, DOMAIN)
  return [OWNER, message.at * 1000, peer, contact, stanza, message.body, 'chat', '']
}

function* rows(messages: number): Generator<Value[]> {
  for (let number = 0; number < messages; number++) yield row(kept(number, messages))
}

export async function fillEjabberd({ folder, setting }: Site, messages: number): Promise<void> {
  if (setting.database) await fillDatabase(setting.database, TABLE, rows(messages))
  else fillFile(databaseFile(folder), TABLE, rows(messages))
}
