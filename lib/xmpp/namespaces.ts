// Namespaces of RFC 6120 and RFC 6121. A XEP's namespaces stand in the module that implements it.

export const NS_CLIENT = 'jabber:client'
export const NS_SERVER = 'jabber:server'
export const NS_STREAM = 'http://etherx.jabber.org/streams'
export const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams'
export const NS_STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas'
export const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls'
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl'
export const NS_BIND = 'urn:ietf:params:xml:ns:xmpp-bind'
export const NS_SESSION = 'urn:ietf:params:xml:ns:xmpp-session'
export const NS_ROSTER = 'jabber:iq:roster'
export const NS_ROSTER_VERSION = 'urn:xmpp:features:rosterver'
export const NS_PRE_APPROVAL = 'urn:xmpp:features:pre-approval'
/** RFC 7395 */
export const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing'
