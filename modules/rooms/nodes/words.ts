// What owners of rooms and nodes with people in them tell each other beside what everybody hears.

/** What an owner says of sessions of one node, and of what was said so far */
export type Word =
  | {
      readonly is: 'in'
      readonly address: string
      readonly nick: string
      readonly log: number
      readonly newest: number
    }
  | { readonly is: 'out'; readonly address: string }
  | { readonly is: 'newest'; readonly log: number; readonly newest: number }

/** Who of one node is in a room */
export interface Census {
  readonly room: string
  /** Nobody else of it is, but those who are just coming. */
  readonly whole: boolean
  readonly pending: readonly string[]
  readonly guests: readonly Counted[]
  /** Milliseconds: what was shown before that, everybody here knows. */
  readonly since: number
}

export interface Counted {
  readonly address: string
  readonly nick: string
  /** Wire text; '' where it is not known */
  readonly presence: string
}
