// Rows as people see them.

import { test } from 'tap'
import { columnWidth, printRows } from '../../bin/table.js'
import type { Terminal } from '../../bin/terminal.js'

function paper(): { terminal: Terminal; out: string[]; err: string[] } {
  const out: string[] = []
  const err: string[] = []
  const plain = (_style: string, text: string) => text
  const terminal = {
    out: (line: string) => void out.push(line),
    err: (line: string) => void err.push(line),
    style: plain,
    errStyle: plain,
  }
  return { terminal, out, err }
}

test('several rows are a table, one row is a list of its fields, none is said', (t) => {
  const table = paper()
  printRows(table.terminal, [
    { jid: 'romeo@a.example', sessions: 2, disabled: false, resources: ['phone', 'laptop'] },
    { jid: 'juliet@a.example', sessions: 10, disabled: true, resources: [] },
  ])
  t.same(table.out, [
    'jid               sessions  disabled  resources',
    'romeo@a.example   2         no        phone, laptop',
    'juliet@a.example  10        yes       -',
  ])
  const thing = paper()
  printRows(thing.terminal, [{ jid: 'romeo@a.example', since: null }])
  t.same(thing.out, ['jid    romeo@a.example', 'since  -'])
  const nothing = paper()
  printRows(nothing.terminal, [])
  t.same([nothing.out, nothing.err], [[], ['nothing to show']])
  t.end()
})

test('what strangers named themselves cannot write to the terminal', (t) => {
  const { terminal, out } = paper()
  printRows(terminal, [{ jid: 'a\u001b[2J\nb\u202ec' }, { jid: 'd' }])
  t.same(out, ['jid', 'a�[2J�b�c', 'd'])
  t.end()
})

test('wide characters take two columns, marks above letters none', (t) => {
  t.equal(columnWidth('abc'), 3)
  t.equal(columnWidth('日本'), 4)
  t.equal(columnWidth('e\u0301'), 1)
  t.equal(columnWidth('🎭'), 2)
  t.end()
})
