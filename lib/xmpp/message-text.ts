// The words of a message, for whoever searches in them: what its sender wrote, without what only
// stands in for something that old clients do not know (XEP-0428), and nothing of what is encrypted.

import type { Element } from './element.js'
import { NS_FALLBACK, trait } from './message-children.js'
import { NS_CLIENT } from './namespaces.js'
import type { Stanza } from './stanza.js'

/** XEP-0364: a body in cipher, which carries no element */
const CIPHER = '?OTR'

/** The bodies in all their languages; undefined where there is nothing to read. */
export function bodyText(stanza: Stanza): string | undefined {
  const { traits } = stanza
  if ((traits & trait.body) === 0 || traits & trait.encrypted) return undefined
  const regions = traits & trait.fallback ? fallbackRegions(stanza) : []
  const text = bodies(stanza)
    .filter((body) => !body.startsWith(CIPHER))
    .map((body) => without(body, regions))
    .join('\n')
    .trim()
  return text === '' ? undefined : text
}

function bodies(stanza: Stanza): string[] {
  const isBody = (child: { name: string; xmlns: string }): boolean =>
    child.name === 'body' && child.xmlns === NS_CLIENT
  if (stanza.children.filter(isBody).length === 1) return [stanza.text('body')!]
  return stanza.element.getChildren('body', NS_CLIENT).map((body) => body.getText())
}

/** In code points (XEP-0426 §3), from `start` to before `end` */
interface Region {
  readonly start: number
  readonly end: number
}

const WHOLE: Region = { start: 0, end: Number.POSITIVE_INFINITY }

/** XEP-0428 §2.2: without children, or without limits, a fallback is the whole body. */
function fallbackRegions(stanza: Stanza): Region[] {
  const regions: Region[] = []
  for (const fallback of stanza.element.getChildren('fallback', NS_FALLBACK)) {
    const parts = fallback.getChildren('body', NS_FALLBACK)
    if (parts.length === 0 && !fallback.getChild('subject', NS_FALLBACK)) regions.push(WHOLE)
    regions.push(...parts.map(regionOf))
  }
  return regions.filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start)
}

function regionOf({ attrs }: Element): Region {
  return { start: limit(attrs.start) ?? WHOLE.start, end: limit(attrs.end) ?? WHOLE.end }
}

function limit(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined
}

function without(body: string, regions: readonly Region[]): string {
  if (regions.length === 0) return body
  const points = [...body]
  let kept = ''
  let at = 0
  for (const { start, end } of regions) {
    if (start > at) kept += points.slice(at, start).join('')
    at = Math.max(at, end)
  }
  return kept + points.slice(at).join('')
}
