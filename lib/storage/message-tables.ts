// The tables of the message log. On PostgreSQL they are cut into months by number, which is time: old
// months are dropped whole. Rows of `messages` are only ever appended.

import type { Knex } from 'knex'
import type { Migration } from './migrations.js'

export const messageTables: readonly Migration[] = [
  {
    name: 'messages',
    up: (_schema, trx) => (isPostgres(trx) ? onPostgres(trx) : onSqlite(trx)),
  },
  {
    name: 'keys of sent messages',
    up: (_schema, trx) => trx.raw(isPostgres(trx) ? KEYS : `${KEYS} without rowid`),
  },
  {
    name: 'what devices have taken',
    up: (schema) =>
      schema.createTable('taken', (table) => {
        table.bigInteger('account').primary()
        table.bigInteger('id').notNullable()
      }),
  },
]

function isPostgres(trx: Knex.Transaction): boolean {
  return trx.client.dialect === 'postgresql'
}

const MESSAGES = `
  id bigint not null,
  sender bigint,
  recipient bigint,
  sender_flags integer not null,
  recipient_flags integer not null,
  sent_by text not null,
  sent_to text not null,
  label bigint not null,
  text text not null`

const ARCHIVE = `
  owner bigint not null,
  id bigint not null,
  peer bigint not null,
  flags integer not null,
  label bigint not null,
  primary key (owner, id)`

const KEYS = `create table message_keys (
  day integer not null, author bigint not null, key text not null, id bigint not null,
  primary key (day, author, key))`

const SQLITE = {
  // What the index needs of each side is here, so that it is made within the database.
  messages: `create table messages (${MESSAGES.replace('bigint not null', 'integer primary key')},
    from_peer bigint not null, to_peer bigint not null)`,
  archive: `create table archive (${ARCHIVE}) without rowid`,
}
const POSTGRES = {
  messages: `create table messages (${MESSAGES}, primary key (id)) partition by range (id)`,
  archive: `create table archive (${ARCHIVE}) partition by range (id)`,
}

const BY_PEER = 'create index archive_by_peer on archive (owner, peer, id, flags, label)'
/** What no archive keeps: few at any moment. */
const UNKEPT = 'create index archive_unkept on archive (owner, id) where flags & 1 = 0'

async function onSqlite(trx: Knex.Transaction): Promise<void> {
  await trx.raw(SQLITE.messages)
  await trx.raw(SQLITE.archive)
  await trx.raw(BY_PEER)
  await trx.raw(UNKEPT)
  // Up to which message the index is complete
  await trx.raw(
    'create table archive_progress (place integer primary key, indexed bigint not null)',
  )
}

async function onPostgres(trx: Knex.Transaction): Promise<void> {
  await trx.raw(POSTGRES.messages)
  await trx.raw(POSTGRES.archive)
  await trx.raw('create table messages_rest partition of messages default')
  await trx.raw('create table archive_rest partition of archive default')
  await trx.raw(BY_PEER)
  await trx.raw(UNKEPT)
  // The one clock of all nodes is the first row: whoever takes numbers holds it until they are visible.
  // The others say after which number the last group of each node is.
  await trx.raw('create table message_clock (place bigint primary key, last bigint not null)')
  await trx.raw('insert into message_clock values (1, 0)')
}
