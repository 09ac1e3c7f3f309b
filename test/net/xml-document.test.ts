// Whole documents: the same rules as on a stream, and their own beginning and end.

import { test } from 'tap'
import { parseXml } from '../../lib/net/xml-document.js'
import { authenticatedLimits } from '../../lib/net/xml-limits.js'
import { conditionOf } from './xml-recorder.js'

test('a document may have a declaration, and white space around its element (XML 1.0 §2.1)', async (t) => {
  const root = parseXml(Buffer.from("<?xml version='1.0' encoding='UTF-8'?>\n<a b='é'>x</a>\r\n"))
  t.equal(root.attrs.b, 'é')
  t.equal(root.getText(), 'x')
  t.equal(parseXml('<vCard xmlns="vcard-temp"><FN>\xc3\xa9</FN></vCard>').getChildText('FN'), 'é')
})

test('anything else is refused with its condition', async (t) => {
  const cases: [string, string][] = [
    ['', 'not-well-formed'],
    ['x', 'not-well-formed'],
    ['<a>', 'not-well-formed'],
    ['<a/><b/>', 'not-well-formed'],
    ['<a/>x', 'not-well-formed'],
    ['</a>', 'not-well-formed'],
    ['<a/><?pi?>', 'not-well-formed'],
    ["<?xml version='1.0'?>", 'not-well-formed'],
    ["<?xml version='1.0'?><?xml version='1.0'?><a/>", 'restricted-xml'],
    ["<?xml version='1.0' encoding='latin1'?><a/>", 'unsupported-encoding'],
    ['<!DOCTYPE a><a/>', 'restricted-xml'],
    ['<a>\xe9</a>', 'unsupported-encoding'],
    ['\xef\xbb\xbf<a/>', 'not-well-formed'],
  ]
  for (const [input, condition] of cases) {
    t.equal(
      conditionOf(() => parseXml(Buffer.from(input, 'latin1'))),
      condition,
      input,
    )
    t.equal(
      conditionOf(() => parseXml(input)),
      condition,
      input,
    )
  }
})

test('a document has limits (LIM-stanza-bytes, LIM-elements)', async (t) => {
  const limits = { ...authenticatedLimits, bytes: 100, elements: 3 }
  const sized = (length: number) => `<a>${'x'.repeat(length - 7)}</a>`
  t.equal(
    conditionOf(() => parseXml(sized(100), limits)),
    '',
  )
  t.equal(
    conditionOf(() => parseXml(sized(101), limits)),
    'policy-violation',
  )
  t.equal(
    conditionOf(() => parseXml('<a><b/><c/></a>', limits)),
    '',
  )
  t.equal(
    conditionOf(() => parseXml('<a><b/><c/><d/></a>', limits)),
    'policy-violation',
  )
})
