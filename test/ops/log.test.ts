// The log: one line an event, whatever strangers wrote (LOG-2).

import { test } from 'tap'
import fc from 'fast-check'
import { createLog, type Level } from '../../lib/ops/log.js'

function logs(format: 'text' | 'json', level: Level = 'debug') {
  const lines: string[] = []
  const log = createLog({
    level,
    format,
    write: (line) => void lines.push(line),
    now: () => Date.UTC(2026, 0, 1),
  })
  return { log, lines }
}

test('a line is time, level, text and fields', async (t) => {
  const text = logs('text')
  text.log.with({ host: 'capulet.example' }).info('somebody came', { jid: 'romeo', count: 2 })
  t.same(text.lines, [
    '2026-01-01T00:00:00.000Z info  somebody came host="capulet.example" jid="romeo" count=2',
  ])
  const json = logs('json')
  json.log.with({ host: 'capulet.example' }).warn('somebody came', { ok: true, none: null })
  t.same(JSON.parse(json.lines[0]!), {
    time: '2026-01-01T00:00:00.000Z',
    level: 'warn',
    text: 'somebody came',
    ...{ host: 'capulet.example', ok: true, none: null },
  })
})

test('what is below the level is not written', async (t) => {
  const { log, lines } = logs('text', 'warn')
  log.debug('1')
  log.info('2')
  log.warn('3')
  log.error('4')
  t.equal(lines.length, 2)
})

const hostile = [
  'a\nERROR forged',
  'a\r\nb',
  '\u001b[2J\u001b]0;title\u0007',
  '\u009b31m',
  'line\u2028separator\u2029',
  'right\u202eto left\u2066',
  '"} {"level":"error"',
  '\u0000\u007f',
]

for (const format of ['text', 'json'] as const) {
  test(`${format}: nothing that a stranger writes ends the line or moves the cursor (LOG-2)`, async (t) => {
    for (const word of hostile) {
      const { log, lines } = logs(format)
      log.error(`about ${word}`, { word, [word]: 1, error: new Error(word) })
      t.equal(lines.length, 1)
      t.notMatch(
        lines[0],
        /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/,
        `word ${hostile.indexOf(word)}`,
      )
      if (format === 'json') t.ok(JSON.parse(lines[0]!).word === word, 'and JSON brings it back')
    }
  })

  test(`${format}: any text is one line`, async (t) => {
    const { log, lines } = logs(format)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (value, text) => {
        lines.length = 0
        log.info(text, { value })
        return lines.length === 1 && !/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(lines[0]!)
      }),
      { numRuns: 300 },
    )
    t.pass()
  })

  test(`${format}: any value can be a field`, async (t) => {
    const { log, lines } = logs(format)
    const loop: Record<string, unknown> = {}
    loop.loop = loop
    const values = [
      ...[1n, undefined, null, Number.NaN, Symbol('s'), () => 1, loop, Object.create(null)],
      { toString: () => Promise.reject },
      new Error('with a stack'),
    ]
    for (const value of values) log.info('a value', { value })
    t.equal(lines.length, values.length)
    t.match(lines.at(-1), /with a stack.*log\.test/, 'an error with its stack, in one line')
    t.notMatch(lines[1], /value[=":]+undefined/)
  })

  test(`${format}: a long field is cut (LIM-log-field)`, async (t) => {
    const { log, lines } = logs(format)
    log.info('long', { value: 'x'.repeat(1_000_000) })
    t.ok(lines[0]!.length < 9000)
  })
}

test('json: a field does not take the place of time, level or text', async (t) => {
  const { log, lines } = logs('json')
  log.info('true', { text: 'false', level: 'error', time: 'never' })
  const { time, level, text } = JSON.parse(lines[0]!)
  t.same({ time, level, text }, { time: '2026-01-01T00:00:00.000Z', level: 'info', text: 'true' })
})
