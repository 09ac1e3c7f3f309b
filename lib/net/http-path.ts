// The path of a request in its one form, or none: what a route sees is decoded once, has no dot
// segments, no empty ones and nothing that somebody further on might decode again. What is not
// plainly right is refused and never repaired (SEC-29).

/** RFC 3986 pchar without ';' (path parameters hide from filters), and '/' */
const ALLOWED = /^\/(?:[A-Za-z0-9\-._~!$&'()*+,=:@/]|%[0-9A-Fa-f]{2})*$/
const MOST = 4096

export interface CanonicalPath {
  readonly path: string
  /** What follows '?', as it came */
  readonly query: string
}

export function canonicalPath(target: string): CanonicalPath | undefined {
  if (target.length > MOST) return undefined
  const mark = target.indexOf('?')
  const raw = mark < 0 ? target : target.slice(0, mark)
  if (!ALLOWED.test(raw)) return undefined
  const segments = raw.slice(1).split('/').map(decoded)
  if (!segments.every((segment, at) => isPlain(segment, at === segments.length - 1)))
    return undefined
  return { path: `/${segments.join('/')}`, query: mark < 0 ? '' : target.slice(mark + 1) }
}

/** Undefined for what is not UTF-8, overlong forms included. */
function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}

function isPlain(segment: string | undefined, last: boolean): boolean {
  if (segment === undefined) return false
  if (segment === '') return last
  if (/^\.+$/.test(segment)) return false
  // Separators, controls, and what decodes to something else the second time.
  return !/[/\\\u0000-\u001f\u007f-\u009f]|%[0-9a-f]{2}|%u/i.test(segment)
}
