// The verification string (XEP-0115 §5) with its examples, and what proves nothing (§5.4, SEC-62).

import { test } from 'tap'
import type { Element } from '../../../lib/xmpp/element.js'
import { toWire, elements } from '../../../lib/xmpp/element.js'
import { parseTree } from '../../../lib/xmpp/tree.js'
import {
  verificationHash,
  verificationString,
  verifies,
} from '../../../modules/caps/verification.js'

const exodus = `
  <identity category='client' name='Exodus 0.9.1' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/>
  <feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/>
  <feature var='http://jabber.org/protocol/muc'/>`

const psi = `
  <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
  <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/>
  <feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/>
  <feature var='http://jabber.org/protocol/muc'/>
  <x xmlns='jabber:x:data' type='result'>
    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
    <field var='software_version'><value>0.11</value></field>
    <field var='ip_version' type='text-multi'><value>ipv6</value><value>ipv4</value></field>
    <field var='os'><value>Mac</value></field>
    <field var='os_version'><value>10.5.1</value></field>
    <field var='software'><value>Psi</value></field>
  </x>`

function query(inside: string): Element {
  const text = `<query xmlns='http://jabber.org/protocol/disco#info'>${inside}</query>`
  return parseTree(toWire(text.replace(/>\s+</g, '><')))
}

const hash = (inside: string, algorithm = 'sha1') =>
  verificationHash(algorithm, elements(query(inside)))

/** Whether this answer proves its own hash. */
const proves = (inside: string) => verifies(query(inside), { hash: 'sha-1', ver: hash(inside) })

test('the simple example (XEP-0115 §5.2)', async (t) => {
  t.equal(hash(exodus), 'QgayPKawpkPSDYmwT/WM94uAlu0=')
  t.ok(proves(exodus))
})

test('the complex example: languages, a form, several values (XEP-0115 §5.3)', async (t) => {
  t.equal(hash(psi), 'q07IKJEyjvHSyhy//CH0CxmKi8w=')
  t.ok(proves(psi))
})

test('the order in the answer does not matter (XEP-0115 §5.1)', async (t) => {
  const reversed = exodus.trim().split('\n').reverse().join('')
  t.equal(hash(reversed), hash(exodus))
})

test('another hash is as good, an unknown one proves nothing (XEP-0115 §5.4)', async (t) => {
  const announced = { hash: 'sha-256', ver: hash(exodus, 'sha256') }
  t.ok(verifies(query(exodus), announced))
  for (const name of ['md5', '', 'SHA-1', 'constructor', '__proto__'])
    t.notOk(verifies(query(exodus), { hash: name, ver: announced.ver }), name)
})

test('an answer that gives another hash proves nothing (XEP-0115 §5.4)', async (t) => {
  t.notOk(verifies(query(psi), { hash: 'sha-1', ver: hash(exodus) }))
})

test('ill-formed answers prove nothing (XEP-0115 §5.4)', async (t) => {
  const identity = "<identity category='client' name='Exodus 0.9.1' type='pc'/>"
  t.notOk(proves(exodus + identity), 'an identity twice')
  t.notOk(proves(`${exodus}<feature var='http://jabber.org/protocol/muc'/>`), 'a feature twice')
  const form = psi.slice(psi.indexOf('<x'))
  t.notOk(proves(psi + form), 'a form twice')
  const two = psi.replace('softwareinfo<', 'softwareinfo</value><value>urn:other<')
  t.notOk(proves(two), 'a form of two types')
})

test('a form without a hidden FORM_TYPE does not count (XEP-0115 §5.4)', async (t) => {
  const field = "<field var='os'><value>Mac</value></field>"
  const shown = "<field var='FORM_TYPE'><value>urn:x</value></field>"
  for (const inside of [field, shown + field]) {
    const form = `<x xmlns='jabber:x:data' type='result'>${inside}</x>`
    t.equal(hash(exodus + form), hash(exodus))
    t.ok(proves(exodus + form))
  }
})

test('the same string cut at other places proves nothing (SEC-62)', async (t) => {
  const real = elements(query(exodus))
  const muc = 'http://jabber.org/protocol/muc'
  const without = exodus.replace(/\s*<feature var='[^']*muc'\/>/, '')
  const last = "<feature var='http://jabber.org/protocol/disco#items'/>"
  const forged = {
    'two features as one':
      without.replace(last, '') +
      `<feature var='http://jabber.org/protocol/disco#items&lt;${muc}'/>`,
    'a feature as the rest of an identity': exodus
      .replace("name='Exodus 0.9.1'", "name='Exodus 0.9.1&lt;http://jabber.org/protocol/caps'")
      .replace("<feature var='http://jabber.org/protocol/caps'/>", ''),
    'a feature as an identity': exodus.replace(
      "<feature var='http://jabber.org/protocol/caps'/>",
      "<identity category='http:' type='' xml:lang='jabber.org' name='protocol/caps'/>",
    ),
    'a feature as a form': `${without}<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>${muc}</value></field></x>`,
  }
  for (const [how, inside] of Object.entries(forged)) {
    t.equal(
      verificationString(elements(query(inside))),
      verificationString(real),
      `${how}: the same string`,
    )
    t.notOk(proves(inside), how)
  }
})
