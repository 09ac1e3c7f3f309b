// The names that the archive speaks.

export const NS_ARCHIVE = 'urn:xmpp:mam:2'
export const NS_EXTENDED = 'urn:xmpp:mam:2#extended'
export const NS_GROUPCHAT_FIELD = 'urn:xmpp:mam:2#groupchat-field'
export const NS_TOMBSTONES = 'urn:xmpp:message-retract:1#tombstone'
