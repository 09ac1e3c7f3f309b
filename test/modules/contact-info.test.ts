// Contact addresses (XEP-0157), told with the features of the host.

import { test, type Test } from 'tap'
import type { WorldOptions } from '../world/world.js'
import { world } from '../world/world.js'

async function fields(t: Test, options: WorldOptions): Promise<Record<string, string[]>> {
  const { romeo } = await world(t, {
    modules: ['disco', 'contact-info'],
    people: ['romeo'],
    ...options,
  })
  const info = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
  const query = (await romeo.asks('get', 'capulet.example', info)).getChild('query')
  const form = query?.getChild('x', 'jabber:x:data')
  const all = form?.getChildren('field') ?? []
  return Object.fromEntries(
    all.map((field) => [
      field.attrs.var,
      field.getChildren('value').map((value) => value.getText()),
    ]),
  )
}

test('each kind is a field, each address a value (XEP-0157 §3)', async (t) => {
  const written = {
    abuse: ['mailto:abuse@capulet.example', 'xmpp:abuse@capulet.example'],
    security: 'https://capulet.example/security',
  }
  t.same(await fields(t, { options: { 'contact-info': written } }), {
    FORM_TYPE: ['http://jabber.org/network/serverinfo'],
    'abuse-addresses': written.abuse,
    'admin-addresses': ['xmpp:nurse@capulet.example'],
    'security-addresses': [written.security],
  })
})

test('the administrators are told unless something else is', async (t) => {
  const admin = ['mailto:admin@capulet.example']
  const { 'admin-addresses': told } = await fields(t, { options: { 'contact-info': { admin } } })
  t.same(told, admin)
})

test('where nobody is to be told there is no form', async (t) => {
  t.same(await fields(t, { host: { admins: [] } }), {})
})
