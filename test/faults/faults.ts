// `npm run faults`: kills the server under load and checks that nothing acknowledged is lost. One run
// after the other; the exit code is 1 where a promise was broken, or where one that was broken on
// purpose was not found out. A command and not a test: the whole plan takes a while.

import { writeFileSync } from 'node:fs'
import { readOptions } from './options.js'
import { plan, type Planned } from './plan.js'
import { obstacle } from './products.js'
import { describe, table } from './report.js'
import { describeRooms, runRooms } from './room-run.js'
import { type Result, run } from './run.js'

const options = readOptions(process.argv.slice(2))
const say = (text: string) => process.stderr.write(`${text}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Lost messages are what a broken promise has to show, not just anything. */
function asExpected({ expectFailure, beside }: Planned, { broken }: Result): boolean {
  if (expectFailure) return broken.includes('lost') || broken.includes('acknowledgedNotOnDisk')
  return beside || broken.length === 0
}

/** People in rooms: figures of their own */
async function runInRooms({ task }: Planned, rooms: number): Promise<undefined> {
  const result = await runRooms(task, rooms)
  say(describeRooms(task, rooms, result))
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  if (result.broken.length > 0) process.exitCode = 1
}

async function runOne(planned: Planned): Promise<Result | undefined> {
  if (options.rooms) return runInRooms(planned, options.rooms)
  const missing = obstacle(planned.task.server, planned.task.store)
  if (missing) {
    say(missing)
    if (!planned.beside) process.exitCode = 1
    return undefined
  }
  const result = await run(planned.task)
  say(describe(result))
  if (planned.expectFailure) say('  (a promise was broken on purpose)')
  if (!asExpected(planned, result)) process.exitCode = 1
  return result
}

const results: Result[] = []
for (const planned of plan(options)) {
  try {
    const result = await runOne(planned)
    if (result) results.push(result)
  } catch (error) {
    say(
      `${planned.task.server}, ${planned.task.what}: ${error instanceof Error ? error.stack : error}`,
    )
    process.exitCode = 1
  }
}
if (options.json && !options.rooms) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
else if (results.length > 0) process.stdout.write(`\n${table(results)}`)
if (options.report) writeFileSync(options.report, table(results))
process.exit()
