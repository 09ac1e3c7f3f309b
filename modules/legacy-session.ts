// Session establishment of RFC 3921 §3, which RFC 6121 dropped: clients that still ask are told yes.
// It is not offered as a stream feature, so that no other client asks.

import { defineModule } from '../lib/core/module.js'
import { NS_SESSION } from '../lib/xmpp/namespaces.js'

export default defineModule({
  name: 'legacy-session',
  summary: 'Answers the session request of clients older than RFC 6121',

  setup() {
    const request = { set: 'session', xmlns: NS_SESSION, reads: true, answer() {} }
    return {
      iq: [
        { ...request, to: 'host', allow: 'local' },
        { ...request, to: 'account', allow: 'self' },
      ],
    }
  },
})
