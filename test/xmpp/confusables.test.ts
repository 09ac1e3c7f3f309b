import { test } from 'tap'
import { skeleton } from '../../lib/xmpp/confusables.js'
import { prepareLocal } from '../../lib/xmpp/jid.js'

test('SEC-71: names that look alike have one skeleton', async (t) => {
  const alike: [name: string, impostor: string][] = [
    ['alice', '\u0430lice'],
    ['alice', 'al\u0456ce'],
    ['alice', 'a1ice'],
    ['paypal', '\u0440\u0430\u0443\u0440\u0430l'],
    ['bob', 'b0b'],
    ['bob', 'b\u03bfb'],
    ['ohm', '\u0585hm'],
    ['modern', 'rnodern'],
    ['sally', '\u0455ally'],
    ['sally', '\uabaaally'],
    ['carol', '\u1d04arol'],
    ['dave', '\u0501ave'],
    ['istanbul', prepareLocal('\u0130stanbul')],
    ['user1', 'userl'],
    ['zo\u00eb', 'zoe\u0308'],
    ['\u0915\u094d\u0937', '\u0915\u094d\u200d\u0937'],
  ]
  for (const [name, impostor] of alike) {
    t.not(name, impostor)
    t.equal(skeleton(impostor), skeleton(name), `${impostor} looks like ${name}`)
  }
})

test('SEC-71: also as nicknames, with capitals, full width and mathematical letters', async (t) => {
  for (const impostor of ['Alice', 'AIice', '\uff21lice', '\u{1d400}lice', '\u0391lice']) {
    t.equal(skeleton(impostor), 'alice')
  }
  t.equal(skeleton('al\u200bice'), 'alice')
})

test('SEC-71: names that differ to the eye have different skeletons', async (t) => {
  const names = [
    'alice',
    'alicia',
    'bob',
    'rob',
    'zoe',
    'zo\u00eb',
    'user1',
    'user2',
    'user7',
    'anna',
    'hanna',
  ]
  t.equal(new Set(names.map(skeleton)).size, names.length)
  for (const name of [
    '\u043f\u0451\u0442\u0440',
    '\u03bd\u03af\u03ba\u03bf\u03c2',
    '\u5f20\u4f1f',
  ]) {
    t.equal(names.map(skeleton).includes(skeleton(name)), false)
  }
})

test('SEC-71: every printable character has a stable skeleton', async (t) => {
  const unstable: string[] = []
  for (let code = 0x21; code < 0x1f000; code++) {
    if (code >= 0xd800 && code < 0xe000) continue
    const once = skeleton(String.fromCodePoint(code))
    if (skeleton(once) !== once) unstable.push(code.toString(16))
  }
  t.same(unstable, [])
})
