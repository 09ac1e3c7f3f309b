// `node build/bench/number-row.js`: what the one row of message numbers lets through. Each commit of messages
// and each binding holds it until it is on disk, whatever node it comes from, so this bounds a cell
// (scaling.ts). Several writers, each with a connection of its own as nodes have them, commit as fast as they
// can, in groups of several sizes. What a commit of one message takes then is what the row is held for it; how
// PostgreSQL's processor time grows with the group says what each further message adds, on whatever core the
// writers are. And what a message takes on the disk.
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
import { usageOf } from './measure.js'
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

type Took = { ms: number; postgresMs: number }

/** What one of these takes while all writers do nothing else, and how long PostgreSQL works on it. */
async function each(
  { writers, pid }: { writers: readonly Writer[]; pid: number },
  once: (writer: Writer) => Promise<void>,
): Promise<Took> {
  const began = performance.now()
  const before = usageOf([pid]).cpuSeconds
  let done = 0
  const until = began + SECONDS * 1000
  await Promise.all(
    writers.map(async (writer) => {
      for (; performance.now() < until; done++) await once(writer)
    }),
  )
  const postgres = usageOf([pid]).cpuSeconds - before
  return { ms: (performance.now() - began) / done, postgresMs: (postgres * 1000) / done }
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
  const all = { writers, pid: cluster.pid }
  await each(all, (writer) => commit(writer, 10))
  const before = { bytes: await sizeOf(writers[0]!), sent }
  let alone = 0
  const points: (readonly [number, number])[] = []
  for (const size of GROUPS) {
    const { ms, postgresMs } = await each(all, (writer) => commit(writer, size))
    points.push([size, postgresMs])
    if (size === 1) alone = ms
    say(`groups of ${size}: ${ms.toFixed(3)} ms each, ${Math.round((1000 * size) / ms)} messages/s`)
  }
  const bytes = ((await sizeOf(writers[0]!)) - before.bytes) / (sent - before.sent)
  const { slope } = line(points)
  say(`the row is held ${(alone - slope).toFixed(2)} ms for a commit`)
  say(`and ${(slope * 1000).toFixed(1)} µs for each message`)
  say(`binding: ${(await each(all, bind)).ms.toFixed(2)} ms each`)
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
