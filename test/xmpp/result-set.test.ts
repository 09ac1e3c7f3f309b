// Pages (XEP-0059), asked for by strangers (SEC-63).

import { test } from 'tap'
import fc from 'fast-check'
import { type Child, serialize, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { NS_RSM, readPage, resultSet } from '../../lib/xmpp/result-set.js'
import { parseTree } from '../../lib/xmpp/tree.js'
import { hostileText } from './hostile-text.js'

const asked = (...children: Child[]) => xml('query', 'urn:example', xml('set', NS_RSM, ...children))
const max = (text: string) => readPage(asked(xml('max', {}, text)), 50).max

test('how many are wanted, never more than there may be (XEP-0059 §2.1, §2.7)', async (t) => {
  t.same(readPage(asked(xml('max', {}, '10')), 50), { max: 10 })
  t.equal(max('0'), 0)
  t.equal(max('50'), 50)
  t.equal(max('51'), 50)
  t.equal(max('2147483647'), 50)
  t.equal(max('\n 0007 '), 7)
  t.same(readPage(asked(), 50), { max: 50 })
  t.same(readPage(xml('query', 'urn:example'), 50), { max: 50 })
  t.same(readPage(xml('query', {}, xml('set', 'urn:other', xml('max', {}, '3'))), 50), { max: 50 })
})

test('from where to go on, forwards and backwards (XEP-0059 §2.2, §2.3, §2.5)', async (t) => {
  t.same(readPage(asked(xml('max', {}, '5'), xml('after', {}, 'p@n')), 50), {
    max: 5,
    after: 'p@n',
  })
  t.same(readPage(asked(xml('before', {}, 'x')), 50), { max: 50, before: 'x' })
  t.same(readPage(asked(xml('before')), 50), { max: 50, before: '' })
  t.same(readPage(asked(xml('after')), 50), { max: 50 })
  t.same(readPage(asked(xml('after', {}, 'a'), xml('before')), 50), {
    max: 50,
    after: 'a',
    before: '',
  })
  const prefixed = parseTree(
    `<q xmlns:r='${NS_RSM}'><r:set><r:max>2</r:max><max xmlns='urn:other'>9</max></r:set></q>`,
  )
  t.same(readPage(prefixed, 50), { max: 2 })
})

const refusal = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (error instanceof StanzaError) return error.condition
    throw error
  }
  return 'none'
}

test('a page is not found by an index (XEP-0059 §2.6)', async (t) => {
  const query = asked(xml('max', {}, '5'), xml('index', {}, '371'))
  t.equal(
    refusal(() => readPage(query, 50)),
    'feature-not-implemented',
  )
})

test('what is no number is refused (SEC-63)', async (t) => {
  const wrong = [
    ...['', ' ', '-1', '-0', '+1', '1.5', '1e1', '0x10', 'NaN', 'Infinity', '1 2', '１０', '٣'],
    ...['2147483648', '18446744073709551616', '9'.repeat(1 << 20), '1\0', '\0', "1' OR 1=1"],
  ]
  for (const text of wrong)
    t.equal(
      refusal(() => max(text)),
      'bad-request',
      text.slice(0, 20),
    )
})

test('what cannot be an id is refused; the rest is for whoever gave ids out (SEC-63)', async (t) => {
  for (const name of ['after', 'before']) {
    const ask = (text: string) => readPage(asked(xml(name, {}, text)), 50)
    for (const text of ['a\0b', '\n', '\x7f', '\ud800', 'a'.repeat(1024), 'a'.repeat(1 << 20)])
      t.equal(
        refusal(() => ask(text)),
        'bad-request',
      )
    for (const text of ["' UNION SELECT", 'a'.repeat(1023), '18446744073709551616', '-1', '👋'])
      t.same(ask(text), { max: 50, [name]: text })
    t.equal(
      refusal(() => readPage(asked(xml(name, {}, 'a'), xml(name, {}, 'b')), 50)),
      'bad-request',
    )
  }
  t.equal(
    refusal(() => readPage(asked(xml('max', {}, '1'), xml('max', {}, '2')), 50)),
    'bad-request',
  )
})

test('whatever is asked, a page comes out or a stanza error', async (t) => {
  const names = fc.constantFrom('max', 'after', 'before', 'index', 'count')
  const children = fc.array(fc.tuple(names, hostileText(8)), { maxLength: 4 })
  fc.assert(
    fc.property(children, (given) => {
      const query = asked(...given.map(([name, text]) => xml(name, {}, text)))
      refusal(() => {
        const page = readPage(query, 50)
        if (!(page.max >= 0 && page.max <= 50)) throw new Error(`${page.max}`)
      })
    }),
  )
  t.pass()
})

test('a page says what is in it (XEP-0059 §2.2)', async (t) => {
  t.equal(
    serialize(resultSet({ first: 'a', last: 'b', index: 0, count: 800 })),
    `<set xmlns='${NS_RSM}'><first index='0'>a</first><last>b</last><count>800</count></set>`,
  )
  t.equal(
    serialize(resultSet({ first: 'a', last: 'a' })),
    `<set xmlns='${NS_RSM}'><first>a</first><last>a</last></set>`,
  )
})

test('an empty page has no first and no last (XEP-0059 §2.2, §2.7)', async (t) => {
  t.equal(serialize(resultSet({ count: 0 })), `<set xmlns='${NS_RSM}'><count>0</count></set>`)
  t.equal(serialize(resultSet({})), `<set xmlns='${NS_RSM}'/>`)
})
