// ANONYMOUS (RFC 4505, XEP-0175): a temporary account for whoever comes. What the client writes for
// tracing is not looked at.

import type { Guests } from '../accounts/guests.js'
import type { Exchange, Mechanism } from './mechanism.js'
import { failure, type Outcome } from './outcome.js'

export function anonymous(guests: Guests): Mechanism {
  return {
    name: 'ANONYMOUS',
    mayOmitFirst: true,
    start: (): Exchange => ({ local: undefined, respond: () => welcome(guests) }),
  }
}

function welcome(guests: Guests): Outcome {
  const account = guests.admit()
  if (!account) return failure('temporary-auth-failure', 'there are too many guests')
  return { kind: 'success', account }
}
