// Which namespace a prefix means (Namespaces in XML 1.0). Bindings of the unit being read are kept
// in order of declaration; those of the stream header lie outside, and which of them are used is
// noted, because forwarded text must carry them along.

import { NS_CLIENT } from '../xmpp/namespaces.js'
import { NO_PREFIXES, type Scope } from '../xmpp/tree.js'
import { illFormed } from './xml-characters.js'

export const NS_XML = 'http://www.w3.org/XML/1998/namespace'
export const NS_XMLNS = 'http://www.w3.org/2000/xmlns/'

/** What lies around a unit. */
export interface Frame extends Scope {
  /** The element that is open around it: `stream:stream`; '' where there is none. */
  readonly name: string
  /** Whose elements count as 'jabber:client' in the index */
  readonly content: string
}

export const NO_FRAME: Frame = { name: '', content: NS_CLIENT, xmlns: '', prefixes: NO_PREFIXES }

export class Bindings {
  count = 0
  readonly prefixes: string[] = []
  readonly names: string[] = []
  /** Prefixes of the stream header that the unit uses */
  borrowed: string[] = []

  clear(): void {
    this.count = 0
    if (this.borrowed.length > 0) this.borrowed = []
  }

  /** '' is the default namespace. */
  declare(prefix: string, xmlns: string): void {
    if (prefix === '') {
      if (xmlns === NS_XML || xmlns === NS_XMLNS) throw illFormed('reserved namespace')
    } else checkDeclaration(prefix, xmlns)
    this.prefixes[this.count] = prefix
    this.names[this.count] = xmlns
    this.count++
  }

  resolve(prefix: string, outside: Scope): string {
    if (prefix === 'xml') return NS_XML
    for (let i = this.count - 1; i >= 0; i--) {
      if (this.prefixes[i] === prefix) return this.names[i]!
    }
    const xmlns = outside.prefixes.get(prefix)
    if (xmlns === undefined) throw illFormed('prefix without a namespace')
    if (!this.borrowed.includes(prefix)) this.borrowed.push(prefix)
    return xmlns
  }
}

/** Namespaces in XML 1.0 §3 (reserved prefixes), §5 (a prefix is never undeclared). */
function checkDeclaration(prefix: string, xmlns: string): void {
  if (prefix === 'xmlns' || xmlns === NS_XMLNS) throw illFormed('xmlns cannot be declared')
  if ((prefix === 'xml') !== (xmlns === NS_XML)) throw illFormed('xml cannot be bound anew')
  if (xmlns === '') throw illFormed('prefix bound to nothing')
}
