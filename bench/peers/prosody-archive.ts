// A long archive in the table of Prosody's SQL store, as its mod_mam writes it.
import { join } from 'node:path'
import { kept, OWNER, stanzaOf } from '../generator/corpus.js'
import { fillDatabase, fillFile, type Table, type Value } from './bulk.js'
import { DOMAIN, type Site } from './peer.js'

const TABLE: Table = {
  name: 'prosodyarchive',
  columns: {
    ...{ host: 'text', user: 'text', store: 'text', key: 'text', when: 'integer' },
    ...{ with: 'text', type: 'text', value: 'text' },
  },
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
  else fillFile(join(folder, 'data', 'prosody.sqlite'), TABLE, rows(messages))
}
