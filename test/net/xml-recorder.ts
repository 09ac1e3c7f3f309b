// Reads bytes with a reader and writes down what came out, so that two readings can be compared.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { authenticatedLimits, type XmlLimits } from '../../lib/net/xml-limits.js'
import {
  type ContentNamespace,
  type StreamHeader,
  XmlReader,
  type XmlSink,
} from '../../lib/net/xml-reader.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StreamError } from '../../lib/xmpp/errors.js'
import type { Stanza } from '../../lib/xmpp/stanza.js'

export const STREAMS = 'http://etherx.jabber.org/streams'
export const HEADER = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${STREAMS}' to='im.example' version='1.0'>`
export const OPEN =
  "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im.example' version='1.0'/>"

export class Recorder implements XmlSink {
  readonly events: string[] = []
  readonly stanzas: Stanza[] = []
  readonly elements: Element[] = []
  readonly headers: StreamHeader[] = []

  opened(header: StreamHeader): void {
    this.events.push(`opened ${header.to}`)
    this.headers.push(header)
  }

  stanza(stanza: Stanza): void {
    this.events.push(`stanza ${stanza.render(stanza.from ?? '', stanza.to ?? '')}`)
    this.stanzas.push(stanza)
  }

  element(element: Element): void {
    this.events.push(`element ${element}`)
    this.elements.push(element)
  }

  closed(): void {
    this.events.push('closed')
  }
}

export interface Reading {
  framing?: 'stream' | 'message'
  content?: ContentNamespace
  limits?: XmlLimits
}

export function readerFor(sink: XmlSink, reading: Reading = {}): XmlReader {
  const { framing = 'stream', content = 'jabber:client', limits = authenticatedLimits } = reading
  return new XmlReader(sink, { framing, content, limits })
}

export interface Outcome {
  events: string[]
  /** '' where nothing was wrong */
  condition: string
  recorder: Recorder
}

/** Strings stand for their UTF-8; chunks are wiped after the call, as a socket's buffer is reused. */
export function read(chunks: (string | Buffer)[], reading: Reading = {}): Outcome {
  const recorder = new Recorder()
  const reader = readerFor(recorder, reading)
  const condition = conditionOf(() => {
    for (const chunk of chunks) {
      const bytes = Buffer.from(chunk)
      if (reading.framing === 'message') reader.message(bytes)
      else reader.write(bytes)
      bytes.fill(0x21)
    }
  })
  return { events: recorder.events, condition, recorder }
}

export function conditionOf(action: () => void): string {
  try {
    action()
    return ''
  } catch (error) {
    if (error instanceof StreamError) return error.condition
    throw error
  }
}

/** One stanza on an open client stream. */
export function readOne(text: string | Buffer, reading: Reading = {}, header = HEADER): Stanza {
  const { recorder, condition } = read([header, text], reading)
  if (condition || recorder.stanzas.length !== 1) throw new Error(`${condition} ${text}`)
  return recorder.stanzas[0]!
}

/** A tree with names resolved and prefixes forgotten: what an XML application sees. */
export function expanded(element: Element, inherited = ''): unknown {
  const scope = new Map<string, string>([['', inherited]])
  return expand(element, scope)
}

function expand(element: Element, outer: ReadonlyMap<string, string>): unknown {
  const scope = new Map(outer)
  for (const [name, value] of Object.entries(element.attrs)) {
    if (name === 'xmlns') scope.set('', value)
    else if (name.startsWith('xmlns:')) scope.set(name.slice(6), value)
  }
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(element.attrs)) {
    if (name !== 'xmlns' && !name.startsWith('xmlns:'))
      attributes[qualified(name, scope, '')] = value
  }
  const children: unknown[] = []
  for (const child of element.children) {
    if (typeof child !== 'string') children.push(expand(child as Element, scope))
    else if (typeof children.at(-1) === 'string') children.push(`${children.pop()}${child}`)
    else if (child !== '') children.push(child)
  }
  return { name: qualified(element.name, scope, scope.get('') ?? ''), attributes, children }
}

function qualified(name: string, scope: ReadonlyMap<string, string>, unprefixed: string): string {
  const colon = name.indexOf(':')
  if (colon < 0) return unprefixed ? `{${unprefixed}}${name}` : name
  const prefix = name.slice(0, colon)
  if (prefix === 'xml') return name
  return `{${scope.get(prefix)}}${name.slice(colon + 1)}`
}

setFlagsFromString('--expose-gc')
export const collectGarbage = runInNewContext('gc') as () => void
