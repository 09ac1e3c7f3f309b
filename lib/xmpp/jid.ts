// An address: local@domain/resource (RFC 7622). An address that exists is prepared: two are the same
// address exactly when their `text` is the same.
//
// precis.ts prepares localparts and resources, idna.ts domains; this file splits, joins, limits
// sizes and remembers. Texts here are real Unicode, not wire text; `attr` is the bridge.

import { domainToUnicode } from './idna.js'
import { JidCache } from './jid-cache.js'
import { hash53 } from './hash53.js'
import { JidError } from './jid-error.js'
import { opaqueString, usernameCaseMapped } from './precis.js'
import { escapeXml, toWire, type Wire } from './element.js'

export { JidError }

/** RFC 7622 §3.1: each part at most 1023 octets of UTF-8. */
const PART_LIMIT = 1023
/** Before it is prepared: composing makes two octets of three letters at the very most. */
const RAW_PART_LIMIT = 1536
const TEXT_LIMIT = 3 * RAW_PART_LIMIT
/** Bytes of heap: room for the addresses of about 50,000 sessions, and little for passers-by. */
const CACHE_BOUND = { proven: 24 * 1024 * 1024, trial: 4 * 1024 * 1024 }

// What needs no table: ASCII, with no label that IDNA reserves (`??--`) and no number at the end of
// the domain, which could be an IPv4 address.
const PLAIN_LOCAL = /^[!#-%(-.0-9;=?A-Z[-~]{1,1023}$/
const PLAIN_DOMAIN =
  /^(?:(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?!..--|\d+$|0x[\da-f]*$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const PLAIN_RESOURCE = /^[\x21-\x7e][\x20-\x7e]{0,1022}$/

const ASCII = /^[\x00-\x7f]*$/

const cache = new JidCache(CACHE_BOUND)

interface Parts {
  local: string
  domain: string
  resource: string
}

export class Jid {
  readonly local: string
  readonly domain: string
  readonly resource: string
  /** The whole address, prepared. */
  readonly text: string
  /** Without the resource; itself when there is none. */
  readonly bare: Jid
  #attr: Wire | undefined
  #hash: number | undefined

  /**
   * For `#known` only: the parts must be prepared. They are kept as slices of the address's own text;
   * as they came they may be slices of a chunk from a socket and would keep it alive. What addresses
   * have in common they share: one domain is asked for with every stanza.
   */
  private constructor({ local, domain, resource }: Parts, text: string) {
    this.text = text
    this.bare = resource === '' ? this : Jid.#known({ local, domain, resource: '' })
    this.resource = resource === '' ? '' : text.slice(text.length - resource.length)
    this.local = resource === '' ? text.slice(0, local.length) : this.bare.local
    if (resource !== '') this.domain = this.bare.domain
    else this.domain = local === '' ? text : Jid.#known({ local: '', domain, resource: '' }).text
  }

  static #known(parts: Parts): Jid {
    const text = join(parts)
    return cache.get(text) ?? remember(text, new Jid(parts, text))
  }

  static parse(text: string): Jid {
    return cache.get(text) ?? read(text)
  }

  static tryParse(text: string | undefined): Jid | undefined {
    if (text === undefined) return undefined
    try {
      return Jid.parse(text)
    } catch (error) {
      if (error instanceof JidError) return undefined
      throw error
    }
  }

  static of(local: string, domain: string, resource = ''): Jid {
    return Jid.#known({
      local: local === '' ? '' : prepareLocal(local),
      domain: prepareDomain(domain),
      resource: resource === '' ? '' : prepareResource(resource),
    })
  }

  /** Wire text for an XML attribute in single quotes. */
  get attr(): Wire {
    this.#attr ??= toWire(escapeXml(this.text))
    return this.#attr
  }

  /** A number for the whole address, as the database has it. */
  get hash(): number {
    this.#hash ??= hash53(this.text)
    return this.#hash
  }

  get isBare(): boolean {
    return this.resource === ''
  }

  get isDomain(): boolean {
    return this.local === '' && this.resource === ''
  }

  withResource(resource: string): Jid {
    if (resource === '') return this.bare
    const prepared = prepareResource(resource)
    return Jid.#known({ local: this.local, domain: this.domain, resource: prepared })
  }

  equals(other: Jid | undefined): boolean {
    return other !== undefined && this.text === other.text
  }

  toString(): string {
    return this.text
  }
}

function join({ local, domain, resource }: Parts): string {
  if (resource !== '')
    return local === '' ? `${domain}/${resource}` : `${local}@${domain}/${resource}`
  return local === '' ? detached(domain) : `${local}@${domain}`
}

/** A copy that shares nothing with what the text was cut from. */
function detached(text: string): string {
  const encoding = ASCII.test(text) ? 'latin1' : 'utf16le'
  return Buffer.from(text, encoding).toString(encoding)
}

function remember(text: string, jid: Jid): Jid {
  cache.add(text, jid)
  return jid
}

function read(text: string): Jid {
  if (text.length > TEXT_LIMIT) throw new JidError('the address is too long')
  const slash = text.indexOf('/')
  const bare = slash < 0 ? text : text.slice(0, slash)
  const at = bare.indexOf('@')
  if (at === 0) throw new JidError('the localpart before @ is empty')
  if (slash >= 0 && slash === text.length - 1) throw new JidError('the resource after / is empty')
  const resource = slash < 0 ? '' : text.slice(slash + 1)
  const jid = Jid.of(bare.slice(0, Math.max(at, 0)), bare.slice(at + 1), resource)
  return text === jid.text ? jid : remember(detached(text), jid)
}

export function prepareLocal(text: string): string {
  if (PLAIN_LOCAL.test(text)) return text.toLowerCase()
  return sized('localpart', text, usernameCaseMapped)
}

export function prepareDomain(text: string): string {
  if (text.length <= PART_LIMIT && PLAIN_DOMAIN.test(text)) return text.toLowerCase()
  return sized('domain', text, domainToUnicode)
}

export function prepareResource(text: string): string {
  if (PLAIN_RESOURCE.test(text)) return text
  return sized('resource', text, opaqueString)
}

function sized(part: string, text: string, prepare: (text: string) => string): string {
  if (text === '') throw new JidError(`the ${part} is empty`)
  const prepared = text.length > RAW_PART_LIMIT ? text : prepare(text)
  if (Buffer.byteLength(prepared) <= PART_LIMIT) return prepared
  throw new JidError(`the ${part} is longer than ${PART_LIMIT} octets`)
}
