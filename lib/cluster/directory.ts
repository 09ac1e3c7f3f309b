// Who is on which node: one entry per bound resource, by bare address. Soft state: the sessions are
// the truth, and a stale entry costs a hop, never a message. Looking up answers at once where the
// answer is at hand, so the common case costs one map look-up.

export interface Place {
  /** The session's id, unguessable and unique in the cluster */
  readonly id: string
  readonly node: string
  readonly resource: string
  /** Sent initial presence and did not take it back (RFC 6121 §4.2). */
  readonly available: boolean
  readonly priority: number
}

export interface Directory {
  /** Adds a place, or replaces the one with the same id. */
  put(account: string, place: Place): void | Promise<void>
  remove(account: string, id: string): void | Promise<void>
  /** Who asks later is not answered sooner, so what each sends then keeps its order. */
  lookup(account: string): readonly Place[] | Promise<readonly Place[]>
  /** What is at hand of it without looking it up */
  remembered(account: string): readonly Place[] | undefined
  /** What is remembered of it, or of all, may be wrong: it is looked up again. */
  doubt(account?: string): void
  /** Somebody knows for sure that it has no sessions on other nodes: nothing needs to be looked up. */
  alone(account: string): void
  /** Places that a life which has ended left behind; undefined where nobody can tell now */
  left(account: string, life: string): Promise<readonly Place[] | undefined>
  close(): Promise<void>
}
