// Data forms (XEP-0004).

import { test } from 'tap'
import { type Element, serialize, xml } from '../../lib/xmpp/element.js'
import { form, NS_FORMS, readForm, table } from '../../lib/xmpp/forms.js'
import { parseTree } from '../../lib/xmpp/tree.js'

const tree = (text: string): Element => parseTree(text.replace(/>\s+</g, '><'))

test('a form to fill in: title, instructions, fields with all they may have (XEP-0004 §3)', async (t) => {
  const made = form({
    type: 'form',
    of: 'urn:example:bot',
    title: 'Bot Configuration',
    instructions: 'Fill out this form',
    fields: [
      { type: 'fixed', value: 'Section 1' },
      { name: 'botname', type: 'text-single', label: 'The name of your bot', required: true },
      { name: 'public', type: 'boolean', value: '0' },
      {
        ...{ name: 'features', type: 'list-multi', value: ['news', 'search'] },
        options: [{ value: 'news', label: 'News' }, { value: 'search' }],
      },
    ],
  })
  t.equal(
    serialize(parseTree(serialize(made))),
    serialize(
      tree(`<x xmlns='jabber:x:data' type='form'>
        <title>Bot Configuration</title>
        <instructions>Fill out this form</instructions>
        <field var='FORM_TYPE' type='hidden'><value>urn:example:bot</value></field>
        <field type='fixed'><value>Section 1</value></field>
        <field var='botname' type='text-single' label='The name of your bot'><required/></field>
        <field var='public' type='boolean'><value>0</value></field>
        <field var='features' type='list-multi'>
          <value>news</value><value>search</value>
          <option label='News'><value>news</value></option>
          <option><value>search</value></option>
        </field>
      </x>`),
    ),
  )
})

test('a result keeps the type of its FORM_TYPE alone, and requires nothing (XEP-0004 §3.3, XEP-0068 §3.1)', async (t) => {
  const made = form({
    type: 'result',
    of: 'urn:example:bot',
    fields: [{ name: 'botname', type: 'text-single', required: true, value: '' }],
  })
  t.equal(
    serialize(parseTree(serialize(made))),
    serialize(
      tree(`<x xmlns='jabber:x:data' type='result'>
        <field var='FORM_TYPE' type='hidden'><value>urn:example:bot</value></field>
        <field var='botname'><value/></field>
      </x>`),
    ),
  )
})

test('a table has its columns once and a value in each (XEP-0004 §3.4)', async (t) => {
  const columns = [{ name: 'name', label: 'Name' }, { name: 'url' }]
  const made = table(columns, [{ name: 'Verona', url: 'xmpp:verona' }, { name: 'Mantua' }])
  t.equal(
    serialize(parseTree(serialize(made))),
    serialize(
      tree(`<x xmlns='jabber:x:data' type='result'>
        <reported><field var='name' label='Name'/><field var='url'/></reported>
        <item><field var='name'><value>Verona</value></field><field var='url'><value>xmpp:verona</value></field></item>
        <item><field var='name'><value>Mantua</value></field><field var='url'><value/></field></item>
      </x>`),
    ),
  )
})

test('a form that was submitted is read, each field with all its values (XEP-0004 §3.2)', async (t) => {
  const query = tree(`<query><x xmlns='jabber:x:data' type='submit'>
    <field var='FORM_TYPE' type='hidden'><value>urn:example:bot</value></field>
    <field var='botname'><value>The Jabber Google Bot</value></field>
    <field type='text-multi' var='description'><value>one</value><value>two</value></field>
    <field var='botname'><value>second of its name</value></field>
    <field var='empty'/>
    <field><value>without a name</value></field>
  </x></query>`)
  const submitted = readForm(query, 'urn:example:bot')
  t.equal(submitted?.type, 'submit')
  t.same(
    [...submitted!.values],
    [
      ['FORM_TYPE', ['urn:example:bot']],
      ['botname', ['The Jabber Google Bot']],
      ['description', ['one', 'two']],
      ['empty', []],
    ],
  )
  t.equal(readForm(query.getChild('x')!)?.values.size, 4, 'also the element itself')
})

test('a form may be cancelled, and there may be none (XEP-0004 §3.2)', async (t) => {
  t.equal(readForm(xml('query', {}, xml('x', { xmlns: NS_FORMS, type: 'cancel' })))?.type, 'cancel')
  t.equal(readForm(xml('query', {}, xml('x', 'urn:example:other'))), undefined)
})

test('a form of another type or kind is refused (XEP-0068 §3.1)', async (t) => {
  for (const type of ['form', 'result', undefined])
    t.throws(() => readForm(xml('x', { xmlns: NS_FORMS, type })), /submit or cancel/)
  const other = form({ type: 'result', of: 'urn:example:other', fields: [] })
  other.attrs.type = 'submit'
  t.throws(() => readForm(other, 'urn:example:bot'), /a form of urn:example:bot is wanted/)
})

test('fields and values have a bound (LIM-form-fields)', async (t) => {
  const filled = (fields: number, values: number) =>
    xml(
      'x',
      { xmlns: NS_FORMS, type: 'submit' },
      ...Array.from({ length: fields }, (_, i) =>
        xml('field', { var: `f${i}` }, ...Array.from({ length: values }, () => xml('value'))),
      ),
    )
  t.equal(readForm(filled(200, 10))?.values.size, 200)
  t.throws(() => readForm(filled(201, 0)), /resource-constraint/)
  t.throws(() => readForm(filled(2, 1001)), /resource-constraint/)
})
