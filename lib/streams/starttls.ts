// STARTTLS (RFC 6120 §5).

import { xml } from '../xmpp/element.js'
import { StreamError } from '../xmpp/errors.js'
import { NS_TLS } from '../xmpp/namespaces.js'
import type { StreamFeature } from './negotiation.js'

export const starttls: StreamFeature = {
  name: 'starttls',
  accepts: [`{${NS_TLS}}starttls`],

  advertise(stream) {
    if (stream.tls || stream.framing === 'message' || stream.account) return undefined
    return xml('starttls', NS_TLS, stream.secured ? undefined : xml('required'))
  },

  negotiate(_element, stream) {
    // RFC 6120 §5.4.2.2: a second one, or one after login, is a failure and the end.
    if (stream.tls || stream.account) {
      stream.send(xml('failure', NS_TLS))
      throw new StreamError('not-authorized')
    }
    return stream.secure(xml('proceed', NS_TLS))
  },
}
