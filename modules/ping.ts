// XMPP Ping: answers whoever wants to know whether we are here.

import { defineModule } from '../lib/core/module.js'

const NS_PING = 'urn:xmpp:ping'

export default defineModule({
  name: 'ping',
  summary: 'Answers pings to the server and to accounts',
  xeps: { 'XEP-0199': '2.0.1' },

  setup() {
    return {
      disco: { server: [NS_PING], account: [NS_PING] },
      iq: [
        { get: 'ping', xmlns: NS_PING, to: 'host', allow: 'anyone', reads: true, answer },
        { get: 'ping', xmlns: NS_PING, to: 'account', allow: 'subscriber', reads: true, answer },
      ],
    }

    function answer() {}
  },
})
