// Data forms (XEP-0004): building one and reading a submitted one. Syntax only; what a form means is
// the business of whoever asks for it.

import { type Element, xml } from './element.js'
import { StanzaError } from './errors.js'

export const NS_FORMS = 'jabber:x:data'

export type FieldType =
  | 'boolean'
  | 'fixed'
  | 'hidden'
  | 'jid-multi'
  | 'jid-single'
  | 'list-multi'
  | 'list-single'
  | 'text-multi'
  | 'text-private'
  | 'text-single'

export interface Field {
  readonly name?: string
  readonly type?: FieldType
  readonly label?: string
  readonly required?: boolean
  readonly value?: string | readonly string[]
  readonly options?: readonly { value: string; label?: string }[]
}

export interface Form {
  readonly type: 'form' | 'result'
  /** FORM_TYPE (XEP-0068) */
  readonly of?: string
  readonly title?: string
  readonly instructions?: string
  readonly fields: readonly Field[]
}

export function form({ type, of, title, instructions, fields }: Form): Element {
  const all =
    of === undefined
      ? fields
      : [{ name: 'FORM_TYPE', type: 'hidden', value: of } as const, ...fields]
  return xml(
    'x',
    { xmlns: NS_FORMS, type },
    title === undefined ? undefined : xml('title', {}, title),
    instructions === undefined ? undefined : xml('instructions', {}, instructions),
    ...all.map((field) => fieldElement(field, type)),
  )
}

function fieldElement(field: Field, form: 'form' | 'result'): Element {
  const values = field.value === undefined ? [] : [field.value].flat()
  // XEP-0004 §3.3: a result may leave the type out, but not of its FORM_TYPE.
  const type = form === 'form' || field.type === 'hidden' ? field.type : undefined
  return xml(
    'field',
    { var: field.name, type, label: field.label },
    field.required && form === 'form' ? xml('required') : undefined,
    ...values.map((value) => xml('value', {}, value)),
    ...(field.options ?? []).map(({ value, label }) =>
      xml('option', { label }, xml('value', {}, value)),
    ),
  )
}

/** Rows of a table (XEP-0004 §3.4). */
export function table(
  columns: readonly { name: string; label?: string }[],
  rows: readonly Record<string, string>[],
): Element {
  return xml(
    'x',
    { xmlns: NS_FORMS, type: 'result' },
    xml('reported', {}, ...columns.map(({ name, label }) => xml('field', { var: name, label }))),
    ...rows.map((row) =>
      xml(
        'item',
        {},
        ...columns.map(({ name }) =>
          xml('field', { var: name }, xml('value', {}, row[name] ?? '')),
        ),
      ),
    ),
  )
}

export interface Submission {
  readonly type: 'submit' | 'cancel'
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** LIM-form-fields */
const MOST_FIELDS = 200
const MOST_VALUES = 2000

/** The form in an element, or undefined; of its fields the first of each name counts. */
export function readForm(parent: Element, of?: string): Submission | undefined {
  const x = parent.is('x', NS_FORMS) ? parent : parent.getChild('x', NS_FORMS)
  if (!x) return undefined
  const { type } = x.attrs
  if (type !== 'submit' && type !== 'cancel')
    throw new StanzaError('bad-request', 'the form must be of type submit or cancel')
  const fields = x.getChildren('field')
  if (fields.length > MOST_FIELDS) throw new StanzaError('resource-constraint')
  const values = new Map<string, readonly string[]>()
  let count = 0
  for (const field of fields) {
    const texts = field.getChildren('value').map((value) => value.getText())
    count += texts.length
    if (field.attrs.var !== undefined && !values.has(field.attrs.var))
      values.set(field.attrs.var, texts)
  }
  if (count > MOST_VALUES) throw new StanzaError('resource-constraint')
  const declared = values.get('FORM_TYPE')?.[0]
  if (of !== undefined && declared !== undefined && declared !== of)
    throw new StanzaError('bad-request', `a form of ${of} is wanted`)
  return { type, values }
}
