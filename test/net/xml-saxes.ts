// A second opinion: the tree that saxes makes of a text, in the form of `expanded`.

import { SaxesParser } from 'saxes'

interface Expanded {
  name: string
  attributes: Record<string, string>
  children: (Expanded | string)[]
}

/** saxes accepts what a stream may not have: that counts as 'restricted'. */
export type Opinion = Expanded | 'malformed' | 'restricted'

export function secondOpinion(text: string): Opinion {
  const parser = new SaxesParser({ xmlns: true })
  const stack: Expanded[] = []
  let root: Expanded | undefined
  let verdict: 'malformed' | 'restricted' | undefined
  const characters = (piece: string) => {
    const children = stack.at(-1)?.children
    if (!children || piece === '') return
    if (typeof children.at(-1) === 'string') children.push(`${children.pop()}${piece}`)
    else children.push(piece)
  }
  const forbidden = () => {
    verdict ??= 'restricted'
  }
  parser.on('error', () => {
    verdict ??= 'malformed'
  })
  parser.on('doctype', forbidden)
  parser.on('comment', forbidden)
  parser.on('processinginstruction', forbidden)
  parser.on('text', characters)
  parser.on('cdata', characters)
  parser.on('opentag', (tag) => {
    const element: Expanded = {
      name: tag.uri ? `{${tag.uri}}${tag.local}` : tag.local,
      attributes: {},
      children: [],
    }
    if (tag.prefix === 'xml') element.name = tag.name
    for (const { name, prefix, local, uri, value } of Object.values(tag.attributes)) {
      if (name === 'xmlns' || prefix === 'xmlns') continue
      const key = prefix === 'xml' || uri === '' ? name : `{${uri}}${local}`
      Object.defineProperty(element.attributes, key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
    stack.at(-1)?.children.push(element)
    root ??= element
    stack.push(element)
  })
  parser.on('closetag', () => {
    stack.pop()
  })
  parser.write(text).close()
  return verdict ?? root ?? 'malformed'
}
