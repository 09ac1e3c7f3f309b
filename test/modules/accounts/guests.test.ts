// Guests (XEP-0175): their names and numbers. How they come in is tested with the mechanism.

import { test } from 'tap'
import { DOMAIN, world } from '../../world/world.js'
import { Guests } from '../../../modules/accounts/guests.js'

test('two guests of a node do not have the same number (XEP-0175 §5)', async (t) => {
  const w = await world(t, { modules: ['accounts'], loggedIn: false })
  // What decides about the number is the same, but for the last bit, which does not count.
  const alike = ['00000002', '00000003', '00000004', '00000003']
  const draw = (): string => `${alike.shift()!}-0000-4000-8000-000000000000`
  const guests = new Guests(w.server.hosts.get(DOMAIN)!, draw)
  const first = guests.admit()!
  const second = guests.admit()!
  t.equal(first.number, -2)
  t.equal(second.number, -3)
  await guests.left(first.jid)
  t.equal(guests.size, 1)
  t.equal(guests.admit()!.number, -2, 'it is free again')
})
