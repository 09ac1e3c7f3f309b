// A command's parameters as a data form, a submitted form as its arguments, and its result as a form
// again (XEP-0050 §2.2, XEP-0133 §2): the one declaration of a command serves here as on the command
// line.

import type { Command, CommandResult, Parameter, Row } from '../../lib/core/commands.js'
import type { Element } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { type Field, type FieldType, form, type Submission, table } from '../../lib/xmpp/forms.js'

const NS_ADMIN = 'http://jabber.org/protocol/admin'

const fieldTypes: Record<Parameter['kind'], FieldType> = {
  text: 'text-single',
  secret: 'text-private',
  jid: 'jid-single',
  jids: 'jid-multi',
  lines: 'text-multi',
  integer: 'text-single',
  flag: 'boolean',
  choice: 'list-single',
}

const UNLIMITED = 'none'

/** `current`: values by parameter that the form is filled in with. */
export function parametersForm(command: Command, current: Row = {}): Element {
  return form({
    type: 'form',
    of: NS_ADMIN,
    title: command.summary,
    fields: Object.entries(command.parameters).flatMap(([name, parameter]) =>
      fieldsOf(parameter.field ?? name, parameter, current[name]),
    ),
  })
}

function fieldsOf(name: string, parameter: Parameter, value: Row[string] | undefined): Field[] {
  const options = optionsOf(parameter)
  const field: Field = {
    name,
    type: options ? 'list-single' : fieldTypes[parameter.kind],
    label: parameter.doc,
    ...(parameter.required ? { required: true } : {}),
    ...(options ? { options } : {}),
    ...(value === undefined ? {} : { value: texts(value) }),
  }
  if (parameter.kind !== 'secret') return [field]
  // XEP-0133 §4.1: typed twice where nobody sees it.
  return [field, { name: verifyName(name), type: 'text-private', label: 'The same once more' }]
}

function optionsOf({ choices, proposed }: Parameter): { value: string }[] | undefined {
  const values = proposed ? [...proposed.map(String), UNLIMITED] : choices
  return values?.map((value) => ({ value }))
}

function verifyName(name: string): string {
  return `${name}-verify`
}

/** Fields that the command does not know are left out: a client may send back what it was not asked. */
export function argumentsOf(command: Command, submission: Submission): Record<string, unknown> {
  const given: Record<string, unknown> = Object.create(null)
  for (const [name, parameter] of Object.entries(command.parameters)) {
    const field = parameter.field ?? name
    const values = submission.values.get(field)
    if (!values || values.length === 0) continue
    if (parameter.kind === 'secret') checkTypedTwice(values[0], submission, field)
    if (parameter.proposed && values[0] === UNLIMITED) continue
    given[name] = isMany(parameter) ? filled(parameter, values) : values[0]
  }
  return given
}

function isMany({ kind }: Parameter): boolean {
  return kind === 'jids' || kind === 'lines'
}

/** An empty line of a text is a line; an empty address is none. */
function filled({ kind }: Parameter, values: readonly string[]): readonly string[] | undefined {
  const there = values.filter((value) => value !== '')
  if (there.length === 0) return undefined
  return kind === 'lines' ? values : there
}

function checkTypedTwice(first: string | undefined, { values }: Submission, field: string): void {
  const second = values.get(verifyName(field))?.[0]
  if (second !== undefined && second !== first)
    throw new StanzaError('not-acceptable', `${field} is not the same twice`)
}

export function resultForm(command: Command, result: CommandResult): Element | undefined {
  const all = result.rows ?? []
  const rows = command.fields ? [command.fields(all)] : all
  if (rows.length === 0) return undefined
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  if (rows.length > 1)
    return table(
      names.map((name) => ({ name })),
      rows.map(asTexts),
    )
  const fields = Object.entries(rows[0]!).map(([name, value]) => ({ name, value: texts(value) }))
  return form({ type: 'result', of: command.form ?? NS_ADMIN, fields })
}

function asTexts(row: Row): Record<string, string> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, texts(value).join(' ')]),
  )
}

function texts(value: Row[string]): string[] {
  if (value === null) return []
  return Array.isArray(value) ? value.map(String) : [String(value)]
}
