// The verification string of entity capabilities (XEP-0115 §5): one hash over identities, features and
// forms. An answer that does not give the hash it was announced with is nobody's but its sender's.

import { createHash } from 'node:crypto'
import { type Element, elements } from '../../lib/xmpp/element.js'
import { NS_FORMS } from '../../lib/xmpp/forms.js'

/** XEP-0115 §5.1; the children are those of a disco#info answer. */
export function verificationString(info: readonly Element[]): string {
  const identities = named(info, 'identity').map(
    ({ attrs }) => `${attrs.category ?? ''}/${attrs.type ?? ''}/${attrs['xml:lang'] ?? ''}/${attrs.name ?? ''}`,
  )
  const features = named(info, 'feature').map(({ attrs }) => attrs.var ?? '')
  const forms = info.filter((child) => child.is('x', NS_FORMS)).map(formText)
  return [...identities.sort(), ...features.sort(), ...forms.sort()].map((part) => `${part}<`).join('')
}

export function verificationHash(algorithm: string, info: readonly Element[]): string {
  return createHash(algorithm).update(verificationString(info), 'utf8').digest('base64')
}

const algorithms: Readonly<Record<string, string>> = {
  'sha-1': 'sha1',
  'sha-224': 'sha224',
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
}

/** XEP-0115 §5.4: ill-formed answers prove nothing, whatever their hash. */
export function verifies(query: Element, announced: { hash: string; ver: string }): boolean {
  const algorithm = algorithms[announced.hash]
  const info = elements(query)
  if (algorithm === undefined || !Object.hasOwn(algorithms, announced.hash) || isIllFormed(info)) return false
  return verificationHash(algorithm, info) === announced.ver
}

function isIllFormed(info: readonly Element[]): boolean {
  const identities = named(info, 'identity').map((one) => `${one.attrs.category}/${one.attrs.type}/${one.attrs['xml:lang']}/${one.attrs.name}`)
  const features = named(info, 'feature').map((one) => one.attrs.var)
  const forms = info.filter((child) => child.is('x', NS_FORMS)).map(formType)
  return [identities, features, forms].some((list) => new Set(list).size < list.length)
}

function named(info: readonly Element[], name: string): Element[] {
  return info.filter((child) => child.getName() === name)
}

function formType(x: Element): string | undefined {
  return x.getChildren('field').find((field) => field.attrs.var === 'FORM_TYPE')?.getChildText('value') ?? undefined
}

function formText(x: Element): string {
  const fields = x
    .getChildren('field')
    .filter((field) => field.attrs.var !== undefined && field.attrs.var !== 'FORM_TYPE')
    .sort((a, b) => compare(a.attrs.var ?? '', b.attrs.var ?? ''))
    .map((field) => [field.attrs.var, ...values(field)].join('<'))
  return [formType(x) ?? '', ...fields].join('<')
}

function values(field: Element): string[] {
  return field.getChildren('value').map((value) => value.getText()).sort(compare)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
