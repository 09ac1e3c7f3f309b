// Pages of fifty out of one account's long archive: the last one, as a client asks that comes to a
// conversation list; one after the other from some moment on, as one that catches up; the last one
// with a contact, as one that opens a conversation. A page that is short counts as failed.
import { setTimeout as pause } from 'node:timers/promises'
import type { Job, Outcome, Plan } from '../job.js'
import { usageOf } from '../measure.js'
import { ArchiveQueries, type Page, type Query } from './archive-queries.js'
import { CONTACTS, contactName, timeOf } from './corpus.js'
import { Crowd, logIn } from './crowd.js'
import { Histogram } from './histogram.js'

type PagesPlan = Extract<Plan, { kind: 'pages' }>

const PAGE = 50

class Walker {
  private readonly plan: PagesPlan
  private readonly domain: string
  private last = ''

  constructor(plan: PagesPlan, domain: string) {
    this.plan = plan
    this.domain = domain
  }

  next(): Query {
    if (this.plan.walk === 'last') return { page: '<before/>' }
    if (this.plan.walk === 'with') return { page: '<before/>', fields: { with: this.contact() } }
    return this.last === '' ? this.begin() : { page: `<after>${this.last}</after>` }
  }

  private contact(): string {
    return `${contactName(Math.floor(Math.random() * CONTACTS))}@${this.domain}`
  }

  /** Somewhere in the first nine tenths. */
  private begin(): Query {
    const { messages } = this.plan
    const at = timeOf(Math.floor(Math.random() * messages * 0.9), messages)
    return { fields: { start: new Date(at).toISOString().replace(/\.\d+Z/, 'Z') } }
  }

  /** Whether the page was full. */
  took(page: Page): boolean {
    this.last = page.complete ? '' : page.last
    return page.results === PAGE || (page.complete && this.plan.walk === 'after')
  }
}

class Reading {
  private readonly queries: ArchiveQueries
  private readonly plan: PagesPlan
  private readonly domain: string
  running = true
  pages = 0
  short = 0
  latencies = new Histogram()

  constructor(queries: ArchiveQueries, plan: PagesPlan, domain: string) {
    this.queries = queries
    this.plan = plan
    this.domain = domain
  }

  async walk(): Promise<void> {
    const walker = new Walker(this.plan, this.domain)
    while (this.running) {
      const began = performance.now()
      const page = await this.queries.ask(walker.next())
      this.latencies.record((performance.now() - began) * 1000)
      this.pages++
      if (!walker.took(page)) this.short++
    }
  }

  restart(): void {
    this.pages = 0
    this.latencies = new Histogram()
  }
}

export async function pages(job: Job, plan: PagesPlan): Promise<Outcome> {
  const crowd = new Crowd()
  await crowd.grow(1, 1, logIn(job))
  const reading = new Reading(new ArchiveQueries(crowd.live()[0]!), plan, job.target.domain)
  const walks = Promise.all(Array.from({ length: plan.inFlight }, () => reading.walk()))
  const measured = measure(reading, job, plan)
  await Promise.race([walks, measured])
  const outcome = await measured
  await walks
  crowd.close()
  return outcome
}

async function measure(reading: Reading, job: Job, plan: PagesPlan): Promise<Outcome> {
  await pause(plan.warmUpSeconds * 1000)
  reading.restart()
  const before = usageOf(job.server).cpuSeconds
  const own = process.cpuUsage()
  const began = performance.now()
  await pause(plan.seconds * 1000)
  const { pages: count, latencies } = reading
  const seconds = (performance.now() - began) / 1000
  const cpuSeconds = usageOf(job.server).cpuSeconds - before
  const { user, system } = process.cpuUsage(own)
  reading.running = false
  return {
    failed: reading.short,
    generatorCores: (user + system) / 1e6 / seconds,
    figures: {
      cpuMicrosPerPage: (cpuSeconds * 1e6) / Math.max(1, count),
      perSecond: count / seconds,
      p50: latencies.quantile(0.5),
      p99: latencies.quantile(0.99),
      cores: cpuSeconds / seconds,
    },
  }
}
