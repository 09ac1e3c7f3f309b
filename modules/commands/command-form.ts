// A command's parameters as a data form, a submitted form as its arguments, and its result as a form
// again (XEP-0050 §2.2, XEP-0133 §2): the one declaration of a command serves here as on the command
// line.

import type { Command, CommandResult, Parameter, Row } from '../../lib/core/commands.js'
import type { Element } from '../../lib/xmpp/element.js'
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

export function parametersForm(command: Command): Element {
  return form({
    type: 'form',
    of: NS_ADMIN,
    title: command.summary,
    fields: Object.entries(command.parameters).map(([name, parameter]) => field(name, parameter)),
  })
}

function field(name: string, parameter: Parameter): Field {
  const options = parameter.choices?.map((value) => ({ value }))
  return {
    name: parameter.field ?? name,
    type: fieldTypes[parameter.kind],
    label: parameter.doc,
    ...(parameter.required ? { required: true } : {}),
    ...(options ? { options } : {}),
  }
}

/** Fields that the command does not know are left out: a client may send back what it was not asked. */
export function argumentsOf(command: Command, submission: Submission): Record<string, unknown> {
  const given: Record<string, unknown> = Object.create(null)
  for (const [name, parameter] of Object.entries(command.parameters)) {
    const values = submission.values.get(parameter.field ?? name)
    if (!values || values.length === 0) continue
    const many = parameter.kind === 'jids' || parameter.kind === 'lines'
    given[name] = many ? values.filter((value) => value !== '') : values[0]
  }
  return given
}

export function resultForm(result: CommandResult): Element | undefined {
  const rows = result.rows ?? []
  if (rows.length === 0) return undefined
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  if (rows.length > 1)
    return table(
      names.map((name) => ({ name })),
      rows.map(asTexts),
    )
  const fields = Object.entries(rows[0]!).map(([name, value]) => ({ name, value: texts(value) }))
  return form({ type: 'result', of: NS_ADMIN, fields })
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
