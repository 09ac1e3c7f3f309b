// Bytes to stanzas: strict XML for every transport, with limits (RFC 6120 §11, RFC 7395 §3.3). The
// scanner reads one unit at a time: the stream header, then whole elements. A unit that lies in one
// chunk is read where it lies; one that is cut is copied and completed, so at most one unit within
// its limit, and what came with its end, is ever held. Between units a reader holds nothing.
//
// Bad input throws a StreamError after what came before it was delivered. A callback may reset or
// stop the reader or replace its limits; it must not write to it.

import type { Element } from '../xmpp/element.js'
import { StreamError } from '../xmpp/errors.js'
import { NS_CLIENT, NS_FRAMING, NS_SERVER } from '../xmpp/namespaces.js'
import type { Stanza } from '../xmpp/stanza.js'
import { type Frame, NO_FRAME } from './xml-bindings.js'
import { latin1 } from './xml-bytes.js'
import { CLASS, SPACE, badEncoding, illFormed, tooMuch } from './xml-characters.js'
import { checkDeclaration, frameOf, headerOf } from './xml-header.js'
import { HeldBytes } from './xml-held.js'
import type { XmlLimits } from './xml-limits.js'
import { EXPECT_DECLARATION, EXPECT_ELEMENT, EXPECT_HEADER, Scanner } from './xml-scanner.js'
import {
  FOUND_DECLARATION,
  FOUND_ELEMENT,
  FOUND_HEADER,
  FOUND_NOTHING,
} from './xml-scanner-text.js'
import {
  type Brief,
  briefOf,
  checkCharacters,
  elementOf,
  isStanzaName,
  stanzaOf,
} from './xml-unit.js'

export type ContentNamespace = 'jabber:client' | 'jabber:server' | 'jabber:component:accept'

export interface StreamHeader {
  readonly to?: string
  readonly from?: string
  readonly id?: string
  readonly version?: string
  readonly lang?: string
  /** The content namespace */
  readonly xmlns: string
  /** What the header declared besides; its elements may use it */
  readonly prefixes: ReadonlyMap<string, string>
}

export interface XmlSink {
  /** `<stream:stream …>`, or `<open/>` (RFC 7395 §3.4) */
  opened(header: StreamHeader): void
  /** A message, presence or iq in the content namespace */
  stanza(stanza: Stanza): void
  /** An element as short as can be, if that is enough; else it comes as `element`. */
  brief?(brief: Brief): boolean
  /** Any other element at depth 1, whole: features, SASL, stream management, … */
  element(element: Element): void
  /** `</stream:stream>`, or `<close/>` */
  closed(): void
}

export interface XmlReaderOptions {
  framing: 'stream' | 'message'
  content: ContentNamespace
  limits: XmlLimits
}

type State = 'start' | 'header' | 'open' | 'ended'

const LESS_THAN = 0x3c

/** Scanners are borrowed for one unit; an idle reader has none. */
let spare: Scanner | undefined

export class XmlReader {
  /** What the next unit may cost */
  limits: XmlLimits
  readonly #sink: XmlSink
  readonly #framing: 'stream' | 'message'
  readonly #content: ContentNamespace
  #state: State = 'start'
  #frame: Frame = NO_FRAME
  #scanner: Scanner | undefined
  #held: HeldBytes | undefined
  #cap = 0

  constructor(sink: XmlSink, options: XmlReaderOptions) {
    this.#sink = sink
    this.#framing = options.framing
    this.#content = options.content
    this.limits = options.limits
  }

  /** Framing 'stream': input may be cut anywhere. The chunk is only valid during the call. */
  write(chunk: Buffer): void {
    try {
      let at = this.#held && this.#scanner ? this.#resume(chunk, this.#held, this.#scanner) : 0
      while (at < chunk.length && this.#state !== 'ended') at = this.#next(chunk, at)
    } catch (error) {
      this.stop()
      throw error
    }
  }

  /** Framing 'message': exactly one element (RFC 7395 §3.3). */
  message(chunk: Buffer): void {
    if (this.#state === 'ended') return
    try {
      this.#whole(chunk)
    } catch (error) {
      this.stop()
      throw error
    }
  }

  /** A new stream header is expected next (RFC 6120 §4.3.3). */
  reset(): void {
    this.#state = 'start'
    this.#frame = NO_FRAME
    this.#forget()
  }

  /** Everything further is dropped, also the rest of the chunk at hand (RFC 6120 §5.4.3.3). */
  stop(): void {
    this.#state = 'ended'
    this.#forget()
  }

  /** Bytes held of an unfinished unit */
  get buffered(): number {
    return this.#held ? this.#held.length : 0
  }

  #forget(): void {
    this.#scanner = undefined
    this.#held = undefined
  }

  // Units

  /** Reads what begins at `at`, up to where something was delivered or the chunk ends. */
  #next(chunk: Buffer, at: number): number {
    while (at < chunk.length && CLASS[chunk[at]!]! & SPACE) at++
    if (at === chunk.length) return at
    if (chunk[at] !== LESS_THAN) throw this.#outside(chunk[at]!)
    const scanner = this.#begin(at, this.#expected)
    const limit = at + this.#cap
    const stop = scanner.scan(chunk, at + 1, Math.min(limit, chunk.length))
    if (scanner.found !== FOUND_NOTHING) return this.#finish(scanner, chunk, stop)
    if (stop === limit) throw tooMuch('stanza too large')
    scanner.base = 0
    this.#scanner = scanner
    this.#held = new HeldBytes(chunk, at)
    return chunk.length
  }

  #begin(base: number, expect: number): Scanner {
    const scanner = spare ?? new Scanner()
    spare = undefined
    scanner.base = base
    scanner.begin(this.#frame, this.limits, expect)
    this.#cap = this.limits.bytes
    return scanner
  }

  #resume(chunk: Buffer, held: HeldBytes, scanner: Scanner): number {
    let at = 0
    while (at < chunk.length) {
      const before = held.length
      const portion = Math.min(chunk.length - at, held.portion)
      held.add(chunk, at, at + portion)
      const stop = scanner.scan(held.bytes, before, Math.min(this.#cap, held.length))
      if (scanner.found !== FOUND_NOTHING) {
        this.#forget()
        this.#finish(scanner, held.bytes, stop)
        return at + stop - before
      }
      if (stop === this.#cap) throw tooMuch('stanza too large')
      at += portion
    }
    return at
  }

  get #expected(): number {
    if (this.#state === 'open') return EXPECT_ELEMENT
    return this.#state === 'start' ? EXPECT_HEADER | EXPECT_DECLARATION : EXPECT_HEADER
  }

  #whole(chunk: Buffer): void {
    if (chunk[0] !== LESS_THAN) throw new StreamError('bad-format', 'not an element')
    if (this.#frame === NO_FRAME) this.#frame = { ...NO_FRAME, content: this.#content }
    const scanner = this.#begin(0, EXPECT_ELEMENT)
    const stop = scanner.scan(chunk, 1, Math.min(this.#cap, chunk.length))
    if (scanner.found === FOUND_NOTHING) {
      throw stop === this.#cap ? tooMuch('stanza too large') : illFormed('unfinished element')
    }
    for (let i = stop; i < chunk.length; i++) {
      if (!(CLASS[chunk[i]!]! & SPACE)) throw new StreamError('bad-format', 'more than one element')
    }
    this.#finish(scanner, chunk, stop)
  }

  /** Text where only white space may be (RFC 6120 §4.6.1 knows it as keep-alive). */
  #outside(byte: number): StreamError {
    const begun = this.#state === 'open'
    if (byte >= 0xf5 || (byte >= 0x80 && byte < 0xc2) || (byte === 0 && !begun))
      return badEncoding()
    const legal = byte >= 0x20
    return begun && legal
      ? new StreamError('bad-format', 'text between stanzas')
      : illFormed('text outside of elements')
  }

  // Deliveries

  #finish(scanner: Scanner, buf: Buffer, stop: number): number {
    checkCharacters(scanner, buf)
    if (scanner.found === FOUND_ELEMENT) this.#element(scanner, buf)
    else if (scanner.found === FOUND_HEADER) this.#header(scanner, buf)
    else if (scanner.found === FOUND_DECLARATION) {
      checkDeclaration(latin1(buf, scanner.base, stop))
      this.#state = 'header'
    } else this.#end()
    return stop
  }

  #element(scanner: Scanner, buf: Buffer): void {
    const { rootName, rootXmlns } = scanner
    if (rootXmlns === this.#content && isStanzaName(rootName)) {
      this.#mustBeOpen()
      const stanza = stanzaOf(scanner, buf, this.#frame)
      spare = scanner
      this.#sink.stanza(stanza)
    } else if (rootXmlns === NS_FRAMING && this.#framing === 'message') this.#framed(scanner, buf)
    else this.#other(scanner, buf)
  }

  #other(scanner: Scanner, buf: Buffer): void {
    const { rootName, rootXmlns } = scanner
    this.#mustBeOpen()
    const ours = rootXmlns === '' || rootXmlns === NS_CLIENT || rootXmlns === NS_SERVER
    if (ours && isStanzaName(rootName)) throw new StreamError('invalid-namespace')
    const brief = this.#sink.brief && briefOf(scanner, buf)
    if (brief && this.#sink.brief?.(brief)) {
      spare = scanner
      return
    }
    const element = elementOf(scanner, buf, this.#frame)
    spare = scanner
    this.#sink.element(element)
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open') throw new StreamError('bad-format', 'no stream is open')
  }

  #header(scanner: Scanner, buf: Buffer): void {
    this.#frame = frameOf(scanner, this.#content)
    const header = headerOf(scanner, buf, this.#frame)
    const empty = scanner.empty
    spare = scanner
    this.#state = 'open'
    this.#sink.opened(header)
    if (empty && this.#state === 'open') this.#end()
  }

  /** RFC 7395 §3.4, §3.6 */
  #framed(scanner: Scanner, buf: Buffer): void {
    if (scanner.contentEnd > scanner.contentStart) throw new StreamError('bad-format')
    if (scanner.rootName === 'close') {
      this.#end()
      return
    }
    if (scanner.rootName !== 'open' || this.#state === 'open') throw new StreamError('bad-format')
    const header = headerOf(scanner, buf, this.#frame)
    spare = scanner
    this.#state = 'open'
    this.#sink.opened(header)
  }

  #end(): void {
    this.stop()
    this.#sink.closed()
  }
}
