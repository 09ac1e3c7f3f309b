// What stands beside the figure that counts, for each kind of work: rates, latencies, how often the
// disk was made to write.
import type { Plan } from './job.js'
import type { Work } from './work.js'

/** A figure by its key; 0 where there is none. */
export type Figures = (key: string) => number

const whole = (value: number) => Math.round(value).toLocaleString('en')
const ms = (value: number) => value.toFixed(1)

export function beside(work: Work, of: Figures): string {
  switch (work.plan.kind) {
    case 'idle':
      return `slope ${of('slopeKb').toFixed(1)} KB`
    case 'register':
    case 'login':
      return [`${whole(of('perSecond'))}/s`, ...login(work, of)].join('; ')
    case 'crowd':
      return multitude(of)
    case 'storm':
      return storm(of)
    case 'pages':
      return `${whole(of('perSecond'))} pages/s; p50 ${ms(of('p50'))}, p99 ${ms(of('p99'))} ms`
    case 'search':
      return `p50 ${ms(of('p50'))} ms; CPU ${ms(of('cpuMs'))} ms; ${of('resultsPerQuery').toFixed(1)} results`
    case 'room':
      return talk(work.plan, of)
    case 'room-joins':
      return [
        `${of('perSecond').toFixed(1)}/s; p50 ${ms(of('p50'))}, p99 ${ms(of('p99'))} ms`,
        `full after ${of('fillSeconds').toFixed(1)} s`,
        ...(of('missing') > 0 ? [`${whole(of('missing'))} presences missing`] : []),
      ].join('; ')
    case 'readers':
      return afterwards(work.plan, of)
    case 'chat':
      return conversation(work.plan, work, of)
  }
}

function talk({ stalled, rate }: Extract<Plan, { kind: 'room' }>, of: Figures): string {
  return [
    `${whole(of('perSecond'))}/s`,
    `p50 ${ms(of('p50'))}, ${rate > 0 ? `p99.9 ${ms(of('p999'))}` : `p99 ${ms(of('p99'))}`} ms`,
    ...(rate > 0 ? [`CPU ${of('cpuMicros').toFixed(1)} µs`] : []),
    `${of('cores').toFixed(2)} cores`,
    ...(stalled > 0
      ? [`memory +${of('grownMb').toFixed(0)} MiB`, `${whole(of('cutOff'))} cut off`]
      : []),
  ].join('; ')
}

function conversation(plan: Extract<Plan, { kind: 'chat' }>, work: Work, of: Figures): string {
  const acks = `acks p50 ${ms(of('ackP50'))}, p99 ${ms(of('ackP99'))} ms`
  return [
    `${whole(of('perSecond'))}/s`,
    `p50 ${ms(of('p50'))}, p99 ${ms(of('p99'))} ms`,
    ...(plan.askEvery > 0 ? [acks] : []),
    ...redis(work, of),
    ...(work.figure.key === 'cpuMicros' ? [] : [`CPU ${of('cpuMicros').toFixed(1)} µs`]),
    `${of('cores').toFixed(2)} cores`,
    ...(work.counted ? [disk(of)] : []),
  ].join('; ')
}

/** Heartbeats come whatever there is to do. */
function redis({ nodes = 1, figure }: Work, of: Figures): string[] {
  if (nodes === 1) return []
  const all = `${of('redis').toFixed(2)} with heartbeats`
  const without = `${of('redisWithout').toFixed(2)} without heartbeats`
  const known: Record<string, string> = { redis: without, redisWithout: all }
  return [known[figure.key] ?? `Redis ${all}, ${without}`]
}

function login(work: Work, of: Figures): string[] {
  const cpu =
    work.figure.key === 'cpuMsPerLogin' ? [] : [`CPU ${of('cpuMsPerLogin').toFixed(2)} ms`]
  return [...redis(work, of), ...cpu]
}

function multitude(of: Figures): string {
  return [
    `${whole(of('sessions'))} sessions, ${of('kbPerSession').toFixed(1)} KB each`,
    `${whole(of('perSecond'))}/s; p50 ${ms(of('p50'))}, p99.9 ${ms(of('p999'))} ms`,
    `${of('cores').toFixed(2)} cores`,
  ].join('; ')
}

function storm(of: Figures): string {
  return [
    `${whole(of('back'))} back after ${of('backSeconds').toFixed(1)} s, ${whole(of('resumed'))} of them resumed`,
    `each p50 ${ms(of('returnP50'))}, p99 ${ms(of('returnP99'))} ms; ${whole(of('retries'))} tried again`,
    `the others ${whole(of('perSecond'))}/s, p50 ${ms(of('p50'))} ms`,
  ].join('; ')
}

function disk(of: Figures): string {
  const size = 1000 / of('groupsPerThousand')
  const grouped = Number.isFinite(size) ? `, ${size.toFixed(1)} messages a group` : ''
  const syncs = `${of('syncsPerThousand').toFixed(1)} syncs for 1,000 messages`
  return `${syncs}${grouped}; fdatasync ${of('syncMs').toFixed(2)} ms`
}

function afterwards({ messages }: Extract<Plan, { kind: 'readers' }>, of: Figures): string {
  return [
    `heap ${of('heapMb').toFixed(1)} MiB`,
    `${whole(of('perSecond'))}/s`,
    `${whole(messages)} each: ${whole(of('lost'))} lost, ${whole(of('disordered'))} out of order, ${whole(of('twice'))} twice`,
    `${whole(of('closed'))} cut off, ${whole(of('resumed'))} of them resumed, ${whole(of('fromArchive'))} from the archive`,
  ].join('; ')
}
