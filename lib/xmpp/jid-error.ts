// What is thrown for a text that is no address. Import it from jid.ts; it stands alone because the
// preparation of the parts, which jid.ts uses, throws it too.

export class JidError extends Error {
  override name = 'JidError'
}
