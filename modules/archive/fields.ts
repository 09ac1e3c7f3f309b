// The form of a query (XEP-0313 §4.1): the fields that clients may use unasked, and those that other
// modules add.

import type { PageQuery } from '../../lib/storage/message-log.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { type FieldType, form, NS_FORMS } from '../../lib/xmpp/forms.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'

const NS_VALIDATE = 'http://jabber.org/protocol/xdata-validate'

export interface NarrowedQuery extends PageQuery {
  /** Of what lies beyond the ids not all was looked at: the page is not complete. */
  readonly unfinished?: boolean
}

/** A field of another module's. */
export interface ExtraField {
  /** In Clark notation (XEP-0313 §4.1.5) */
  readonly name: string
  readonly type: FieldType
  /** What tells in service discovery that an archive has it */
  readonly feature?: string
  /**
   * The query with `ids`: at least `limit` of its messages that match, the first in the order in which it
   * reads, or all that there are, or so many as it has found, and `unfinished`. Throws StanzaError to
   * refuse, also where it has found none and is not finished: a client could not go on.
   */
  narrow(query: PageQuery, values: readonly string[]): NarrowedQuery | Promise<NarrowedQuery>
}

const STANDARD: readonly { name: string; type: FieldType }[] = [
  { name: 'with', type: 'jid-single' },
  { name: 'start', type: 'text-single' },
  { name: 'end', type: 'text-single' },
  { name: 'before-id', type: 'text-single' },
  { name: 'after-id', type: 'text-single' },
  { name: 'ids', type: 'list-multi' },
  // Nothing of rooms is in an account's archive (isDurable), whatever is asked for.
  { name: 'include-groupchat', type: 'boolean' },
]

export class Fields {
  readonly #extra = new Map<string, ExtraField>()

  /** Gives back what takes it away again. */
  add(field: ExtraField): () => void {
    this.#extra.set(field.name, field)
    return () => this.#extra.delete(field.name)
  }

  extra(name: string): ExtraField | undefined {
    return this.#extra.get(name)
  }

  known(name: string): boolean {
    return STANDARD.some((field) => field.name === name) || this.#extra.has(name)
  }

  get features(): readonly string[] {
    return [...this.#extra.values()].flatMap(({ feature }) => feature ?? [])
  }

  /** XEP-0313 §4.1.5. The list of ids is open, and none are named. */
  form(): Element {
    const fields = [...STANDARD, ...this.#extra.values()]
    const made = form({
      type: 'form',
      of: NS_ARCHIVE,
      fields: fields.map(({ name, type }) => ({ name, type })),
    })
    made
      .getChildrenByAttr('var', 'ids', NS_FORMS)[0]
      ?.cnode(xml('validate', { xmlns: NS_VALIDATE, datatype: 'xs:string' }, xml('open')))
    return made
  }
}
