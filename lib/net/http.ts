// The HTTP side of modules: routes that can be added and removed while the server runs, and the
// request as a route sees it: canonical path, the client's real address, a body with a bound.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CanonicalPath } from './http-path.js'
import type { Remote } from './transport.js'

export type HttpMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'

export interface HttpRoute {
  readonly method: HttpMethod | readonly HttpMethod[]
  /** '/upload' is that path alone; '/upload/*' everything below it. The longest match wins. */
  readonly path: string
  handle(request: HttpRequest, response: ServerResponse): void | Promise<void>
}

/** Answers with a status instead of the route's own answer. */
export class HttpRefusal extends Error {
  override name = 'HttpRefusal'
  readonly status: number

  constructor(status: number, text = '') {
    super(text)
    this.status = status
  }
}

const BODY_LIMIT = 64 * 1024

/** What is known about the connection and, behind a trusted proxy, about the one before it. */
export interface HttpOrigin {
  readonly remote: Remote
  /** HTTPS, here or at a trusted proxy */
  readonly secure: boolean
  /** Through a proxy's connection, which the limits per address have not counted. */
  readonly uncounted: boolean
}

export class HttpRequest {
  readonly raw: IncomingMessage
  readonly method: HttpMethod
  /** Decoded and canonical */
  readonly path: string
  readonly query: URLSearchParams
  readonly remote: Remote
  readonly secure: boolean
  /** What the route's '*' stands for; empty for routes without one. */
  rest = ''

  constructor(raw: IncomingMessage, { path, query }: CanonicalPath, origin: HttpOrigin) {
    this.raw = raw
    this.method = raw.method as HttpMethod
    this.path = path
    this.query = new URLSearchParams(query)
    this.remote = origin.remote
    this.secure = origin.secure
  }

  /** The host that was asked for, without the port. */
  get host(): string | undefined {
    return hostOf(this.raw)
  }

  header(name: string): string | undefined {
    const value = this.raw.headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }

  /** Throws HttpRefusal: 413 beyond the limit, 415 for anything compressed (SEC-05). */
  async body(limit: number = BODY_LIMIT): Promise<Buffer> {
    const encoding = this.header('content-encoding') ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') throw new HttpRefusal(415, 'no compressed bodies')
    if (Number(this.header('content-length') ?? 0) > limit) throw tooLarge(limit)
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of this.raw as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
}

function tooLarge(limit: number): HttpRefusal {
  return new HttpRefusal(413, `at most ${limit} bytes`)
}

export function hostOf(raw: IncomingMessage): string | undefined {
  return raw.headers.host?.toLowerCase().replace(/:\d*$/, '')
}

interface Offered {
  /** The host, a space, the module */
  readonly owner: string
  readonly route: HttpRoute
}

export interface Found {
  readonly route: HttpRoute
  readonly rest: string
}

/** All hosts' routes. Where several hosts offer the same one, the Host header decides. */
export class Routes {
  #exact = new Map<string, Offered[]>()
  #below = new Map<string, Offered[]>()

  add(owner: string, route: HttpRoute): void {
    const [table, key] = this.#place(route.path)
    table.set(key, [...(table.get(key) ?? []), { owner, route }])
  }

  /** Everything that this owner offers, or one route of it. */
  remove(owner: string, route?: HttpRoute): void {
    for (const table of [this.#exact, this.#below]) {
      for (const [key, offers] of table) {
        const left = offers.filter(
          (offer) => offer.owner !== owner || (route && offer.route !== route),
        )
        if (left.length > 0) table.set(key, left)
        else table.delete(key)
      }
    }
  }

  /** HEAD is answered by GET's route: Node leaves out the body. */
  find(method: string, path: string, host?: string): Found | 'no path' | readonly HttpMethod[] {
    const allowed: HttpMethod[] = []
    for (const { offers, rest } of this.#candidates(path)) {
      const wanted = method === 'HEAD' ? 'GET' : method
      const fits = offers.filter(({ route }) =>
        methodsOf(route).some((one) => one === method || one === wanted),
      )
      const own = fits.find(({ owner }) => owner.split(' ', 1)[0] === host) ?? fits[0]
      if (own) return { route: own.route, rest }
      allowed.push(...offers.flatMap(({ route }) => methodsOf(route)))
    }
    return allowed.length > 0 ? [...new Set(allowed)] : 'no path'
  }

  *#candidates(path: string): Generator<{ offers: Offered[]; rest: string }> {
    const exact = this.#exact.get(path)
    if (exact) yield { offers: exact, rest: '' }
    for (
      let at = path.lastIndexOf('/');
      at >= 0;
      at = at === 0 ? -1 : path.lastIndexOf('/', at - 1)
    ) {
      const offers = this.#below.get(path.slice(0, at + 1))
      if (offers) yield { offers, rest: path.slice(at + 1) }
    }
  }

  #place(path: string): [Map<string, Offered[]>, string] {
    return path.endsWith('/*') ? [this.#below, path.slice(0, -1)] : [this.#exact, path]
  }
}

function methodsOf(route: HttpRoute): readonly HttpMethod[] {
  return typeof route.method === 'string' ? [route.method] : route.method
}
