// Archives that are no account's own but of which accounts are part: those of rooms. Whoever has such archives adds
// them here; whoever shows an account all its conversations, or how far it has read, asks here.

import type { Later } from '../../lib/core/later.js'
import type { Logged } from '../../lib/storage/message-log.js'
import type { Jid } from '../../lib/xmpp/jid.js'

export interface OtherArchive {
  /** Bare: the conversation */
  readonly peer: Jid
  /** In the message log */
  readonly owner: number
  /** The label of what the account itself said there */
  readonly mine: number
  /** A message of it as this account is shown it */
  shown(logged: Logged): Logged
}

export interface ArchiveSource {
  /** Those that an account is part of, whether it is there or not */
  of(account: Jid): Later<readonly OtherArchive[]>
  /** The same of one address */
  find(account: Jid, peer: Jid): Later<OtherArchive | undefined>
  /** Numbers of messages that mention the account, by the bare address of the archive, with a bound */
  mentions(account: Jid): Later<ReadonlyMap<string, readonly number[]>>
}

export class OtherArchives {
  readonly #sources = new Set<ArchiveSource>()

  /** Gives back what takes it away again. */
  add(source: ArchiveSource): () => void {
    this.#sources.add(source)
    return () => void this.#sources.delete(source)
  }

  async of(account: Jid): Promise<readonly OtherArchive[]> {
    const found = await Promise.all([...this.#sources].map((source) => source.of(account)))
    return found.flat()
  }

  async find(account: Jid, peer: Jid): Promise<OtherArchive | undefined> {
    for (const source of this.#sources) {
      const found = await source.find(account, peer)
      if (found) return found
    }
    return undefined
  }

  async mentions(account: Jid): Promise<ReadonlyMap<string, readonly number[]>> {
    const found = await Promise.all([...this.#sources].map((source) => source.mentions(account)))
    return new Map(found.flatMap((one) => [...one]))
  }
}
