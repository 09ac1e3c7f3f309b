// What a peer may make the reader hold and do: bytes alone are out of date, because a small text
// can describe a large tree. Checked while reading, so nothing is held beyond a limit.

export interface XmlLimits {
  /** Bytes of one stanza, or of a stream header */
  readonly bytes: number
  /** Elements in one stanza, the stanza itself included */
  readonly elements: number
  /** Levels of elements, the stanza itself included */
  readonly depth: number
  /** Attributes of one element, declarations included */
  readonly attributes: number
  /** Bytes of one name, its prefix included */
  readonly name: number
  /** Namespace declarations in scope at once */
  readonly declarations: number
}

/** LIM-stanza-bytes and its neighbours, for a client that has logged in. */
export const authenticatedLimits: XmlLimits = {
  bytes: 256 * 1024,
  elements: 2000,
  depth: 64,
  attributes: 64,
  name: 1024,
  declarations: 128,
}

/** For another server or a component. */
export const serverLimits: XmlLimits = { ...authenticatedLimits, bytes: 512 * 1024 }

/** For everybody who has not shown yet who he is (SEC-02). */
export const unauthenticatedLimits: XmlLimits = {
  ...authenticatedLimits,
  bytes: 16 * 1024,
  elements: 64,
  depth: 10,
}
