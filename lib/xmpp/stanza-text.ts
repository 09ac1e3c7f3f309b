// A stanza out of its own text without a tree, as nearly all texts are that `render` once made: no declared
// prefixes on the root, and nothing around it. For anything else there is the tree.

import type { Wire } from './element.js'
import { NS_CLIENT } from './namespaces.js'
import type { StanzaKind, StanzaParts } from './stanza.js'
import { indexChildren, tagEnd } from './stanza-children.js'
import { decodeAttribute, NO_PREFIXES } from './tree.js'

const ROOT = /^<(message|presence|iq)((?:\s+[a-z:]+=(?:'[^'<]*'|"[^"<]*"))*)\s*\/?>$/

const SCOPE = { xmlns: NS_CLIENT, prefixes: NO_PREFIXES }

interface Root {
  type: string
  id: string
  to: string | undefined
  from: string | undefined
  lang: string
  attributes: Wire
}

export function partsOf(wire: Wire): StanzaParts | undefined {
  const end = tagEnd(wire, 0)
  const match = ROOT.exec(wire.slice(0, end))
  if (!match || match[2]!.includes('xmlns')) return undefined
  const kind = match[1] as StanzaKind
  const last = `</${kind}>`
  const empty = wire.charCodeAt(end - 2) === 0x2f
  if (empty ? end !== wire.length : !wire.endsWith(last)) return undefined
  const content = empty ? '' : wire.slice(end, -last.length)
  const children = indexChildren(content, SCOPE)
  const { type, id, to, from, lang, attributes } = rootOf(match[2]!)
  return { kind, type, id, to, from, lang, attributes, content, children }
}

function rootOf(attributes: Wire): Root {
  const root: Root = { type: '', id: '', to: undefined, from: undefined, lang: '', attributes }
  let end = 0
  for (let equals = attributes.indexOf('='); equals > 0; equals = attributes.indexOf('=', end)) {
    const begin = end
    end = attributes.indexOf(attributes.charAt(equals + 1), equals + 2) + 1
    const name = attributes.slice(begin, equals).trim()
    const value = attributes.slice(equals + 2, end - 1)
    if (name === 'type' || name === 'id') root[name] = decodeAttribute(value)
    else if (name === 'xml:lang') root.lang = decodeAttribute(value)
    else if (name === 'to' || name === 'from') {
      root[name] = decodeAttribute(value)
      root.attributes = root.attributes.replace(attributes.slice(begin, end), () => '')
    }
  }
  return root
}
