// Stream Limits Advertisement: tells clients how large a stanza may be and how long they may be silent.

import { xml } from '../lib/xmpp/element.js'
import { defineModule } from '../lib/core/module.js'
import { authenticatedLimits, unauthenticatedLimits } from '../lib/net/xml-limits.js'

const NS_LIMITS = 'urn:xmpp:stream-limits:0'

export default defineModule({
  name: 'stream-limits',
  summary: 'Tells clients how large a stanza may be',
  xeps: { 'XEP-0478': '0.2.0' },

  setup() {
    return { streamFeatures: [{ name: 'limits', accepts: [], advertise, negotiate() {} }] }

    // XEP-0478 §3: what holds now; it is larger after login.
    function advertise(stream: { account: unknown }) {
      const { bytes } = stream.account ? authenticatedLimits : unauthenticatedLimits
      return xml('limits', NS_LIMITS, xml('max-bytes', {}, String(bytes)))
    }
  },
})
