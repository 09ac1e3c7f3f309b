// Stream headers: RFC 6120 §4.2 (`<stream:stream>`), RFC 7395 §3.4 (`<open/>`), and the XML
// declaration before the first.

import { StreamError } from '../xmpp/errors.js'
import { NS_STREAM } from '../xmpp/namespaces.js'
import { latin1 } from './xml-bytes.js'
import { illFormed } from './xml-characters.js'
import type { ContentNamespace, StreamHeader } from './xml-reader.js'
import type { Frame } from './xml-bindings.js'
import type { Scanner } from './xml-scanner.js'

const PREFIXES: ReadonlyMap<string, string> = new Map([['stream', NS_STREAM]])
const NAME = 'stream:stream'

/** The frame of nearly every stream, by content namespace. */
const frames = new Map<string, Frame>()

function usualFrame(content: ContentNamespace): Frame {
  let frame = frames.get(content)
  if (!frame)
    frames.set(content, (frame = { name: NAME, content, xmlns: content, prefixes: PREFIXES }))
  return frame
}

/** RFC 6120 §4.8: the right namespaces, and the prefix that everybody uses. */
export function frameOf(scanner: Scanner, content: ContentNamespace): Frame {
  if (scanner.rootXmlns !== NS_STREAM) {
    const bare = scanner.rootName === 'stream' && !scanner.rootPrefixed
    const ours = bare && scanner.rootXmlns === content
    throw new StreamError(ours ? 'bad-namespace-prefix' : 'invalid-namespace')
  }
  if (scanner.rootName !== 'stream') throw new StreamError('bad-format', 'not a stream header')
  const { prefixes, names, count } = scanner.bindings
  const declared = new Map<string, string>()
  for (let i = 0; i < count; i++) declared.set(prefixes[i]!, names[i]!)
  if (!scanner.rootPrefixed || declared.get('stream') !== NS_STREAM)
    throw new StreamError('bad-namespace-prefix')
  if (declared.get('') !== content) throw new StreamError('invalid-namespace')
  declared.delete('')
  return declared.size === 1 ? usualFrame(content) : { ...usualFrame(content), prefixes: declared }
}

const DECLARATION =
  /^<\?xml\s+version\s*=\s*(?:'1\.\d+'|"1\.\d+")(?:\s+encoding\s*=\s*(?:'([A-Za-z][\w.-]*)'|"([A-Za-z][\w.-]*)"))?(?:\s+standalone\s*=\s*(?:'(?:yes|no)'|"(?:yes|no)"))?\s*\?>$/

/** XML 1.0 §2.8; RFC 6120 §11.5, §11.6 */
export function checkDeclaration(text: string): void {
  const match = DECLARATION.exec(text)
  if (!match) throw illFormed('malformed XML declaration')
  const encoding = match[1] ?? match[2] ?? 'UTF-8'
  if (encoding.toUpperCase() !== 'UTF-8') throw new StreamError('unsupported-encoding')
}

export function headerOf(scanner: Scanner, buf: Buffer, frame: Frame): StreamHeader {
  const { base, attributes, rootAttributes } = scanner
  const found: Record<string, string> = {}
  for (let k = 0; k < rootAttributes; k++) {
    const name = latin1(buf, base + attributes.nameStart[k]!, base + attributes.nameEnd[k]!)
    const key = KEYS[name]
    if (key) found[key] = attributes.text(buf, base, k)
  }
  return { ...found, xmlns: frame.content, prefixes: frame.prefixes }
}

const KEYS: Record<string, string> = Object.assign(Object.create(null), {
  to: 'to',
  from: 'from',
  id: 'id',
  version: 'version',
  'xml:lang': 'lang',
})
