// The verification string of entity capabilities (XEP-0115 §5): one hash over identities, features and
// forms. An answer that does not give the hash it was announced with is nobody's but its sender's,
// and so is one that could be another client's answer cut at other places: the string does not tell
// an identity from a feature, or a feature from a field of a form (SEC-62).

import { createHash } from 'node:crypto'
import { type Element, elements } from '../../lib/xmpp/element.js'
import { NS_FORMS } from '../../lib/xmpp/forms.js'

/** XEP-0115 §5.1; the children are those of a disco#info answer. */
export function verificationString(info: readonly Element[]): string {
  const identities = named(info, 'identity').map(
    ({ attrs }) =>
      `${attrs.category ?? ''}/${attrs.type ?? ''}/${attrs['xml:lang'] ?? ''}/${attrs.name ?? ''}`,
  )
  const features = named(info, 'feature').map(({ attrs }) => attrs.var ?? '')
  const forms = formsOf(info).map(formText)
  return [...identities.sort(), ...features.sort(), ...forms.sort()]
    .map((part) => `${part}<`)
    .join('')
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
  if (algorithm === undefined || !Object.hasOwn(algorithms, announced.hash)) return false
  if (isIllFormed(info) || !isUnambiguous(info)) return false
  return verificationHash(algorithm, info) === announced.ver
}

function isIllFormed(info: readonly Element[]): boolean {
  const identities = named(info, 'identity').map(
    (one) => `${one.attrs.category}/${one.attrs.type}/${one.attrs['xml:lang']}/${one.attrs.name}`,
  )
  const features = named(info, 'feature').map((one) => one.attrs.var)
  const forms = formsOf(info)
  const types = forms.map(formType)
  if (forms.some((x) => new Set(formTypes(x)).size > 1)) return true
  return [identities, features, types].some((list) => new Set(list).size < list.length)
}

/** A category or type as registered; the one form that clients have (XEP-0232). */
const WORD = /^[a-z0-9_-]+$/i
const CLIENT_FORM = 'urn:xmpp:dataforms:softwareinfo'

function isUnambiguous(info: readonly Element[]): boolean {
  const cut = (text: string | undefined): boolean => text?.includes('<') === true
  const identities = named(info, 'identity').every(
    ({ attrs }) =>
      WORD.test(attrs.category ?? '') &&
      WORD.test(attrs.type ?? '') &&
      !cut(attrs['xml:lang']) &&
      !cut(attrs.name),
  )
  const features = named(info, 'feature').every(({ attrs }) => !cut(attrs.var))
  return identities && features && formsOf(info).every((x) => formType(x) === CLIENT_FORM)
}

/** XEP-0115 §5.4: a form without a hidden FORM_TYPE does not count. */
function formsOf(info: readonly Element[]): Element[] {
  return info.filter((child) => child.is('x', NS_FORMS) && formType(child) !== undefined)
}

function named(info: readonly Element[], name: string): Element[] {
  return info.filter((child) => child.getName() === name)
}

function formType(x: Element): string | undefined {
  return formTypes(x)[0]
}

function formTypes(x: Element): string[] {
  const field = x.getChildren('field').find(({ attrs }) => attrs.var === 'FORM_TYPE')
  if (field?.attrs.type !== 'hidden') return []
  return field.getChildren('value').map((value) => value.getText())
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
  return field
    .getChildren('value')
    .map((value) => value.getText())
    .sort(compare)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
