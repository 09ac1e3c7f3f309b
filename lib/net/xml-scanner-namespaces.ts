// The third part of the scanner: which namespace an element is in, and what its attributes may be
// called (Namespaces in XML 1.0).

import { Bindings, type Frame, NO_FRAME } from './xml-bindings.js'
import { tooMuch } from './xml-characters.js'
import { intern } from './xml-names.js'
import { TagScanner } from './xml-scanner-tags.js'

export abstract class NamespaceScanner extends TagScanner {
  /** Declares the content namespace once more somewhere inside */
  redeclared = false
  readonly bindings = new Bindings()
  protected frame: Frame = NO_FRAME
  // By depth: how many bindings lie outside, and the default namespace
  protected readonly bound: number[] = [0]
  protected readonly defaults: string[] = ['']

  /** Takes the declarations of the tag just read, checks its attributes, and says its namespace. */
  protected namespaces(buf: Buffer, depth: number): string {
    const attributes = this.attributes
    this.bound[depth] = this.bindings.count
    this.defaults[depth] = this.defaults[depth - 1]!
    let prefixed = 0
    for (let k = attributes.base; k < attributes.count; k++) {
      if (attributes.declares(buf, this.base, k)) this.#declare(buf, k)
      else if (attributes.colon[k]! >= 0) prefixed++
    }
    if (attributes.count > attributes.base + 1) attributes.checkDuplicates(buf, this.base)
    if (prefixed > 0) this.#checkPrefixed(buf)
    const colon = this.colons[depth]!
    if (colon < 0) return this.defaults[depth]!
    return this.#resolve(buf, this.nameStart[depth]!, colon)
  }

  #declare(buf: Buffer, k: number): void {
    const { colon, nameEnd } = this.attributes
    const prefix =
      colon[k]! < 0 ? '' : intern(buf, this.base + colon[k]! + 1, this.base + nameEnd[k]!)
    const xmlns = this.attributes.text(buf, this.base, k)
    this.#bind(prefix, xmlns)
  }

  #bind(prefix: string, xmlns: string): void {
    this.bindings.declare(prefix, xmlns)
    if (this.bindings.count > this.limits.declarations) throw tooMuch('too many namespaces')
    if (prefix === '') this.defaults[this.depth] = xmlns
    if (xmlns === this.frame.content && (prefix !== '' || this.depth > 1)) this.redeclared = true
  }

  /** The same for a tag without prefixes and with nothing but, perhaps, a default namespace. */
  protected enclose(xmlns: string | undefined): string {
    const depth = this.depth
    this.bound[depth] = this.bindings.count
    this.defaults[depth] = this.defaults[depth - 1]!
    if (xmlns !== undefined) this.#bind('', xmlns)
    return this.defaults[depth]!
  }

  /** Whether the tag just read is such a tag, in ASCII and without references. */
  protected plain(buf: Buffer): boolean {
    const { base, count, complex } = this.attributes
    if (this.colons[this.depth]! >= 0) return false
    if (count === base) return true
    return (
      count === base + 1 &&
      complex[base] === 0 &&
      this.attributes.colon[base]! < 0 &&
      this.attributes.declares(buf, this.base, base)
    )
  }

  /** The default namespace that a plain tag declares itself. */
  protected get ownNamespace(): string | undefined {
    return this.attributes.count > this.attributes.base ? this.defaults[this.depth] : undefined
  }

  #resolve(buf: Buffer, start: number, colon: number): string {
    return this.bindings.resolve(intern(buf, this.base + start, this.base + colon), this.frame)
  }

  /** Namespaces in XML 1.0 §6.3: nor the same local name twice in one namespace. */
  #checkPrefixed(buf: Buffer): void {
    const attributes = this.attributes
    for (let a = attributes.base; a < attributes.count; a++) {
      const xmlns = (attributes.xmlns[a] = this.#attributeNamespace(buf, a))
      if (xmlns !== '') attributes.checkExpanded(buf, this.base, a)
    }
  }

  /** '' without a prefix, and for declarations. */
  #attributeNamespace(buf: Buffer, k: number): string {
    const colon = this.attributes.colon[k]!
    if (colon < 0 || this.attributes.declares(buf, this.base, k)) return ''
    return this.#resolve(buf, this.attributes.nameStart[k]!, colon)
  }

  protected local(buf: Buffer, depth: number): string {
    const colon = this.colons[depth]!
    return intern(
      buf,
      this.base + (colon < 0 ? this.nameStart[depth]! : colon + 1),
      this.base + this.nameEnd[depth]!,
    )
  }
}
