// When something happened: the DateTime of XEP-0082 §3.2 and the mark of a stanza that comes late
// (XEP-0203). Times are milliseconds since 1970. Stamps that we write are UTC and have milliseconds, and
// microseconds where the time has a fraction; those that we read may come from strangers.

import type { Wire } from './element.js'

export const NS_DELAY = 'urn:xmpp:delay'

const DAY = 86_400_000
const TWO = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'))
const THREE = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))
let lastDay = Number.NaN
/** With the T that follows it */
let lastDate = ''

/** XEP-0203 §2: in UTC. Pages of an archive are full of stamps, most of them of one day. */
export function stampOf(time: number): string {
  const day = Math.floor(time / DAY)
  if (day !== lastDay) {
    lastDate = new Date(day * DAY).toISOString().slice(0, -'00:00:00.000Z'.length)
    lastDay = day
  }
  const whole = Math.floor(time)
  const ms = whole - day * DAY
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const finer = time === whole ? '' : THREE[Math.floor((time - whole) * 1000)]!
  return `${lastDate}${TWO[hours]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[ms % 1000]}${finer}Z`
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,20}))?(?:Z|([+-])(\d\d):(\d\d))$/
const FIRST = Date.parse('0000-01-01T00:00:00Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')
/** XML Schema part 2, §3.3.7: hours of an offset */
const FARTHEST = 14 * 60

/**
 * Undefined for whatever is no DateTime: a day or an hour that does not exist, no time zone. What is
 * finer than a millisecond is cut off. XEP-0082 §5 lets us do without 24:00:00 and years of five
 * digits.
 */
export function readStamp(text: string): number | undefined {
  const [, moment, fraction = '', sign, hours, minutes] = STAMP.exec(text) ?? []
  if (moment === undefined) return undefined
  const local = `${moment}.${fraction.padEnd(3, '0').slice(0, 3)}Z`
  const time = Date.parse(local)
  if (Number.isNaN(time) || stampOf(time) !== local) return undefined
  const offset = sign === undefined ? 0 : offsetOf(Number(hours), Number(minutes))
  const utc = sign === '-' ? time + offset * 60_000 : time - offset * 60_000
  return utc >= FIRST && utc <= LAST ? utc : undefined
}

/** In minutes; NaN, which no comparison lets through, where there is no such time zone. */
function offsetOf(hours: number, minutes: number): number {
  const offset = hours * 60 + minutes
  return minutes < 60 && offset <= FARTHEST ? offset : Number.NaN
}

/** A child for a stanza; `from` is who delayed it, as it stands in an attribute. */
export function delayed(since: number, from: Wire = ''): Wire {
  const by = from === '' ? '' : ` from='${from}'`
  return `<delay xmlns='${NS_DELAY}'${by} stamp='${stampOf(since)}'/>`
}
