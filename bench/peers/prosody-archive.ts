// The table of Prosody's SQL store, which it would make itself when the first message is kept, and a
// long archive in it, as its mod_mam writes it.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { kept, OWNER, stanzaOf } from '../generator/corpus.js'
import { connected, execute, fillDatabase, fillFile, type Table, type Value } from './bulk.js'
import { DOMAIN, type Site } from './peer.js'

const TABLE: Table = {
  name: 'prosodyarchive',
  columns: {
    ...{ host: 'text', user: 'text', store: 'text', key: 'text', when: 'integer' },
    ...{ with: 'text', type: 'text', value: 'text' },
  },
}

const INDEXES = {
  index: ['key'],
  with_when: ['with', 'when'],
  when: ['when'],
  sort: ['sort_id'],
}

function schema(identity: string): string {
  const columns = Object.entries(TABLE.columns).map(([name, type]) => `"${name}" ${type} NOT NULL`)
  const indexes = Object.entries(INDEXES).map(([name, last]) => {
    const list = ['host', 'user', 'store', ...last].map((column) => `"${column}"`).join(', ')
    const unique = name === 'index' ? 'UNIQUE ' : ''
    return `CREATE ${unique}INDEX "prosodyarchive_${name}" ON "prosodyarchive" (${list});`
  })
  const table = `CREATE TABLE "prosodyarchive" ("sort_id" ${identity}, ${columns.join(', ')});`
  return [table, ...indexes].join('\n')
}

const fileIn = (folder: string) => join(folder, 'data', 'prosody.sqlite')

export async function createTables({ folder, setting }: Site): Promise<void> {
  if (setting.store === 'own') return
  if (setting.database) {
    const sql = schema('BIGSERIAL PRIMARY KEY')
    await connected(setting.database, (client) => client.query(sql))
    return
  }
  mkdirSync(join(folder, 'data'), { recursive: true })
  execute(fileIn(folder), schema('INTEGER PRIMARY KEY AUTOINCREMENT'))
}

function* rows(messages: number): Generator<Value[]> {
  for (let number = 0; number < messages; number++) {
    const message = kept(number, messages)
    const contact = `${message.contact}@${DOMAIN}`
    const key = `${number.toString(36).padStart(8, '0')}-corpus`
    const when = Math.floor(message.at / 1000)
    const stanza = stanzaOf(message, DOMAIN)
    yield [DOMAIN, OWNER, 'archive', key, when, contact, 'xml', stanza]
  }
}

export async function fillProsody({ folder, setting }: Site, messages: number): Promise<void> {
  if (setting.database) await fillDatabase(setting.database, TABLE, rows(messages))
  else fillFile(fileIn(folder), TABLE, rows(messages))
}
