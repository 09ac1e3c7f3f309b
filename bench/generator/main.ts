// The load generator: one job as JSON in, its outcome as one JSON line out, then it ends. It ends
// by itself as well when a job takes longer than it may, or when whoever started it is gone.
import type { Job, Outcome } from '../job.js'
import { chat } from './chat.js'
import { multitude } from './multitude.js'
import { pages } from './pages.js'
import { readers } from './readers.js'
import { register } from './register.js'
import { room } from './room.js'
import { roomJoins } from './room-joins.js'
import { search } from './search.js'
import { idle, logins } from './sessions.js'
import { storm } from './storm.js'

const LONGEST_RUN_MS = 3_600_000
const parent = process.ppid

function run(job: Job): Promise<Outcome> {
  const { plan } = job
  switch (plan.kind) {
    case 'register':
      return register(job, plan.users)
    case 'chat':
      return chat(job, plan)
    case 'idle':
      return idle(job, plan)
    case 'login':
      return logins(job, plan)
    case 'pages':
      return pages(job, plan)
    case 'search':
      return search(job, plan)
    case 'crowd':
      return multitude(job, plan)
    case 'storm':
      return storm(job, plan)
    case 'room':
      return room(job, plan)
    case 'room-joins':
      return roomJoins(job, plan)
    case 'readers':
      return readers(job, plan)
  }
}

function giveUp(why: string): never {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}

const text = process.argv[2]
if (text === undefined)
  giveUp('usage: main.js JOB, where JOB is the JSON described in bench/job.ts')
setTimeout(() => giveUp('the run took too long'), LONGEST_RUN_MS)
setInterval(() => process.ppid !== parent && process.exit(1), 1000)
process.on('uncaughtException', (error) => giveUp(String(error.stack)))

const outcome = await run(JSON.parse(text) as Job).catch(
  (error: Error): Outcome => ({ failed: 1, figures: {}, error: error.message }),
)
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(outcome.failed > 0 ? 3 : 0))
