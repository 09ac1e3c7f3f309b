// Parts of trees that stand alone (Namespaces in XML 1.0 §6).

import { test } from 'tap'
import { cutOut } from '../../lib/xmpp/cut-out.js'
import { elements, serialize } from '../../lib/xmpp/element.js'
import { parseTree } from '../../lib/xmpp/tree.js'

const inner = (wire: string): string => serialize(cutOut(elements(parseTree(wire))[0]!))

test('what is declared further out is declared where it is used', async (t) => {
  t.equal(inner("<a xmlns:p='urn:p'><p:b><p:c/></p:b></a>"), "<p:b xmlns:p='urn:p'><p:c/></p:b>")
  t.equal(
    inner("<a xmlns:p='urn:p'><b xmlns='urn:b' p:x='1'/></a>"),
    "<b xmlns='urn:b' p:x='1' xmlns:p='urn:p'/>",
  )
  t.equal(inner("<a xmlns='urn:a'><b><c/></b></a>"), "<b xmlns='urn:a'><c/></b>")
  const deep = parseTree("<a xmlns:p='urn:p'><b xmlns='urn:b'><p:c/></b></a>")
  t.equal(
    serialize(cutOut(elements(elements(deep)[0]!)[0]!)),
    "<p:c xmlns='urn:b' xmlns:p='urn:p'/>",
  )
})

test('the nearest declaration counts, and its own before all', async (t) => {
  const own = "<a xmlns='urn:a' xmlns:p='urn:1'><p:b xmlns='urn:b' xmlns:p='urn:2'/></a>"
  t.equal(inner(own), "<p:b xmlns='urn:b' xmlns:p='urn:2'/>")
})

test('what is not used is not declared', async (t) => {
  t.equal(
    inner("<a xmlns:p='urn:p' xmlns:pp='urn:pp' x='1'><b xmlns='urn:b'>p:</b></a>"),
    "<b xmlns='urn:b'>p:</b>",
  )
})

test('the part itself stays as it is', async (t) => {
  const whole = parseTree("<a xmlns:p='urn:p'><p:b><c/></p:b></a>")
  const part = elements(whole)[0]!
  const before = serialize(whole)
  t.ok(cutOut(part).is('b', 'urn:p'))
  t.equal(serialize(whole), before)
  t.equal(part.parent, whole)
})
