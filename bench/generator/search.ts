// Full text search in one account's long archive (XEP-0431), one query at a time, a page of fifty
// as its answer: how long somebody waits who searches. The words are those of corpus.ts.
// A server may build its index after the archive was filled: that is waited for.
import { setTimeout as pause } from 'node:timers/promises'
import type { Job, Outcome, Plan } from '../job.js'
import { usageOf } from '../measure.js'
import { ArchiveQueries } from './archive-queries.js'
import { RARE_HITS, wordsOf } from './corpus.js'
import { Crowd, logIn } from './crowd.js'
import { Histogram } from './histogram.js'

type SearchPlan = Extract<Plan, { kind: 'search' }>

const FIELD = '{urn:xmpp:fulltext:0}fulltext'

/** An index that has found nothing more for so long is as complete as it gets. */
const PATIENCE_MS = 300_000
const LOOK_MS = 2000

const query = (word: string) => ({ fields: { [FIELD]: word }, page: '<before/>' })

/** The last rare word is also the one whose last message comes last. */
async function indexed(queries: ArchiveQueries): Promise<void> {
  const last = wordsOf('rare').at(-1)!
  let best = -1
  for (let since = performance.now(); performance.now() - since < PATIENCE_MS; ) {
    const { results } = await queries.ask(query(last))
    if (results >= RARE_HITS) return
    if (results > best) since = performance.now()
    best = Math.max(best, results)
    await pause(LOOK_MS)
  }
  throw new Error(`the index has ${best} of ${RARE_HITS} messages with a rare word`)
}

export async function search(job: Job, plan: SearchPlan): Promise<Outcome> {
  const crowd = new Crowd()
  await crowd.grow(1, 1, logIn(job))
  const queries = new ArchiveQueries(crowd.live()[0]!)
  const began = performance.now()
  await indexed(queries)
  const indexSeconds = (performance.now() - began) / 1000
  const words = wordsOf(plan.words)
  const latencies = new Histogram()
  const before = usageOf(job.server).cpuSeconds
  let results = 0
  let failed = 0
  for (let i = 0; i < plan.queries; i++) {
    const began = performance.now()
    const page = await queries.ask(query(words[i % words.length]!))
    latencies.record((performance.now() - began) * 1000)
    results += page.results
    if (page.results === 0) failed++
  }
  const cpuSeconds = usageOf(job.server).cpuSeconds - before
  crowd.close()
  return {
    failed,
    figures: {
      indexSeconds,
      p50: latencies.quantile(0.5),
      p95: latencies.quantile(0.95),
      worst: latencies.quantile(1),
      resultsPerQuery: results / plan.queries,
      cpuMs: (cpuSeconds * 1000) / plan.queries,
    },
  }
}
