// `node build/bench/number-row.js`: what the one row of message numbers lets through. Each commit of messages
// and each binding holds it until it is on disk, whatever node it comes from, so this bounds a cell
// (scaling.ts). Several writers, each with a connection of its own as nodes have them, commit as fast as they
// can, groups of several sizes; a line through the times gives what the row is held for a commit and for each
// message in it. And what a message takes on the disk.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../lib/ops/clock.js'
import { Database } from '../lib/storage/database.js'
import { Journal } from '../lib/storage/journal.js'
import { INCOMING, KEPT, LoggedMessage, OUTGOING, UNREAD } from '../lib/storage/logged-message.js'
import { type MessageLog, openMessageLog } from '../lib/storage/message-log.js'
import { Whereabouts } from '../lib/storage/whereabouts.js'
import { Jid } from '../lib/xmpp/jid.js'
import { syncMs } from './machine.js'
import { type Cluster, startCluster } from './peers/postgres.js'

const WRITERS = 6
const GROUPS = [1, 10, 50, 200]
const SECONDS = 4
const ACCOUNTS = 20_000
const BODY = 'x'.repeat(80)

type Writer = { database: Database; log: MessageLog; journal: Journal; whereabouts: Whereabouts }

async function open(url: string, life: string): Promise<Writer> {
  const database = await Database.open({ url, folder: '', durability: 'power' })
  const log = await openMessageLog(database, systemClock, true)
  const journal = new Journal(database, { messages: log, life })
  return { database, log, journal, whereabouts: await Whereabouts.open(database, life) }
}

let sent = 0

function message(): LoggedMessage {
  const sender = Math.floor(Math.random() * ACCOUNTS)
  const recipient = (sender + 1 + Math.floor(Math.random() * (ACCOUNTS - 1))) % ACCOUNTS
  const made = new LoggedMessage({
    from: Jid.parse(`u${sender}@localhost/bench`),
    to: Jid.parse(`u${recipient}@localhost`),
    text: `<message type='chat' id='m${++sent}'><body>${BODY}</body></message>`,
    ...{ label: sent, key: `k${sent}`, author: sender },
  })
  made.sender = { owner: sender, flags: KEPT | OUTGOING }
  made.recipient = { owner: recipient, flags: KEPT | INCOMING | UNREAD }
  return made
}

async function commit({ journal }: Writer, size: number): Promise<void> {
  const group = Array.from({ length: size }, () => {
    const entry = journal.entry()
    entry.message = message()
    return journal.commit(entry)
  })
  await Promise.all(group)
}

/** Milliseconds that one of these takes while all writers do nothing else. */
async function each(writers: readonly Writer[], once: (writer: Writer) => Promise<void>) {
  const began = performance.now()
  let done = 0
  const until = began + SECONDS * 1000
  await Promise.all(
    writers.map(async (writer) => {
      for (; performance.now() < until; done++) await once(writer)
    }),
  )
  return (performance.now() - began) / done
}

async function bind({ whereabouts }: Writer): Promise<void> {
  const account = Math.floor(Math.random() * ACCOUNTS)
  await whereabouts.here({ account, address: `u${account}@localhost` })
  whereabouts.gone(account)
}

/** Least squares: what a commit takes without messages, and each message more. */
export function line(points: readonly (readonly [x: number, y: number])[]) {
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  const slope =
    points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) /
    points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return { atZero: y - slope * x, slope }
}

const say = (text: string) => process.stdout.write(`${text}\n`)

async function sizeOf({ database }: Writer): Promise<number> {
  const rows = await database.knex.select(
    database.knex.raw('pg_database_size(current_database()) as size'),
  )
  return Number(rows[0]!.size)
}

async function measure(cluster: Cluster): Promise<void> {
  const url = await cluster.database()
  const writers: Writer[] = []
  for (let i = 0; i < WRITERS; i++) writers.push(await open(url, `life-${i}`))
  await each(writers, (writer) => commit(writer, 10))
  const before = { bytes: await sizeOf(writers[0]!), sent }
  const points: (readonly [number, number])[] = []
  for (const size of GROUPS) {
    const ms = await each(writers, (writer) => commit(writer, size))
    points.push([size, ms])
    say(`groups of ${size}: ${ms.toFixed(3)} ms each, ${Math.round((1000 * size) / ms)} messages/s`)
  }
  const bytes = ((await sizeOf(writers[0]!)) - before.bytes) / (sent - before.sent)
  const { atZero, slope } = line(points)
  say(
    `the row is held ${atZero.toFixed(3)} ms for a commit, ${(slope * 1000).toFixed(1)} µs for a message`,
  )
  say(`binding: ${(await each(writers, bind)).toFixed(3)} ms each`)
  say(`a message of ${BODY.length} bytes of text takes ${Math.round(bytes)} bytes on disk`)
  for (const { database, journal, whereabouts, log } of writers) {
    await whereabouts.close()
    await journal.close()
    await log.close()
    await database.close()
  }
}

async function main(folder: string): Promise<void> {
  say(`fdatasync ${syncMs(folder).toFixed(2)} ms; ${WRITERS} writers`)
  const cluster = await startCluster(folder)
  await measure(cluster).finally(() => cluster.stop())
}

if (process.argv[1] === import.meta.filename) {
  const folder = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'tercet-numbers-'))
  chmodSync(folder, 0o755)
  await main(folder).finally(() => rmSync(folder, { recursive: true, force: true }))
}
