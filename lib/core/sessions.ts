// The sessions of this node, by account. The directory tells where else an account is; this is the
// list that a local write goes through.

import { StanzaError, StreamError } from '../xmpp/errors.js'
import type { Jid } from '../xmpp/jid.js'
import type { Place } from '../cluster/directory.js'
import type { Begun } from './binding.js'
import type { ClientStream } from '../streams/client-stream.js'
import type { Account } from './module.js'
import type { Host } from './host.js'
import { Session } from './session.js'

/** LIM-sessions-per-account */
const MOST_PER_ACCOUNT = 20

const none: readonly Session[] = []

interface Binds {
  readonly stream: ClientStream
  readonly account: Account
  readonly begun: Begun
}

export class Sessions {
  readonly #host: Host
  readonly #byAccount = new Map<string, readonly Session[]>()
  readonly #byAddress = new Map<string, Session>()
  readonly #byId = new Map<string, Session>()

  constructor(host: Host) {
    this.#host = host
  }

  /** Of one bare address, in the order they were bound. */
  of(account: Jid): readonly Session[] {
    return this.#byAccount.get(account.text) ?? none
  }

  find(jid: Jid): Session | undefined {
    return this.#byAddress.get(jid.text)
  }

  /** By the text of a full address */
  at(address: string): Session | undefined {
    return this.#byAddress.get(address)
  }

  byId(id: string): Session | undefined {
    return this.#byId.get(id)
  }

  /** The session that a place is: a directory in memory holds the sessions themselves, of all nodes. */
  inPlace(place: Place): Session | undefined {
    if (!(place instanceof Session) || place.host !== this.#host) return this.#byId.get(place.id)
    return place.closed ? undefined : place
  }

  all(): IterableIterator<Session> {
    return this.#byId.values()
  }

  get size(): number {
    return this.#byId.size
  }

  async bind(
    stream: ClientStream,
    account: Account,
    resource: string | undefined,
  ): Promise<Session> {
    const jid = this.#address(account.jid, resource)
    const { binding } = this.#host.server
    const session = await binding.begin(jid, account.number, (begun) =>
      this.#replace(jid, { stream, account, begun }),
    )
    await this.#announce(session)
    return session
  }

  async #replace(jid: Jid, { stream, account, begun }: Binds): Promise<Session> {
    const { elsewhere, newest } = begun
    if (!this.find(jid)) await this.#makeRoom(account.jid, elsewhere)
    // RFC 6120 §7.7.2.2: the newcomer wins; what the old stream had sent is finished first.
    for (let old = this.find(jid); old; old = this.find(jid)) {
      old.close(new StreamError('conflict', 'the resource was bound again'))
      if (!old.closed) await old.drained()
    }
    // From here on nothing waits until the session is in the list: two never have one address.
    begun.check()
    this.#checkRoom(account.jid, elsewhere)
    return this.#add(new Session(this.#host, stream, { jid, number: account.number, newest }))
  }

  /**
   * One that outlived its process, without a stream: whoever calls this attaches one, and tells the directory
   * when what it was is known (`place`). `keep` is called before any route leads to it.
   */
  async restore(
    account: Account,
    resource: string,
    keep: (session: Session) => void,
  ): Promise<Session> {
    const jid = account.jid.withResource(resource)
    const { binding } = this.#host.server
    return binding.begin(jid, account.number, async (begun) => {
      const { elsewhere, newest } = begun
      if (!this.find(jid)) await this.#makeRoom(account.jid, elsewhere)
      if (this.find(jid)) throw new StanzaError('conflict')
      begun.check()
      this.#checkRoom(account.jid, elsewhere)
      const restored = new Session(this.#host, undefined, { jid, number: account.number, newest })
      keep(restored)
      return this.#add(restored)
    })
  }

  /** Where it is not known by its presence already */
  async place(session: Session): Promise<void> {
    if (session.available || session.closed) return
    await this.#host.server.directory.put(session.account.text, session)
    if (session.closed) this.#forgetPlace(session)
  }

  /** Where an account has all sessions that it may have, one that waits for its client ends. */
  async #makeRoom(account: Jid, elsewhere: number): Promise<void> {
    if (this.of(account).length + elsewhere < MOST_PER_ACCOUNT) return
    const oldest = this.of(account).find(({ stream, leaving }) => !stream && !leaving)
    oldest?.close()
    if (oldest && !oldest.closed) await oldest.drained()
  }

  #checkRoom(account: Jid, elsewhere: number): void {
    if (this.of(account).length + elsewhere >= MOST_PER_ACCOUNT)
      throw new StanzaError('resource-constraint')
  }

  #add(session: Session): Session {
    this.#byAccount.set(session.account.text, [...this.of(session.account), session])
    this.#byAddress.set(session.jid.text, session)
    this.#byId.set(session.id, session)
    return session
  }

  async #announce(session: Session): Promise<void> {
    try {
      await this.#host.server.directory.put(session.account.text, session)
      await this.#host.events.emit('session:bound', { session })
    } catch (error) {
      this.remove(session)
      throw error
    }
    // It was ended while the directory heard of it: no route may lead here.
    if (session.closed) this.#forgetPlace(session)
  }

  #forgetPlace(session: Session): void {
    const { server } = this.#host
    const removed = server.directory.remove(session.account.text, session.id)
    if (removed) server.pending(removed.catch((error) => server.failed('directory', error)))
  }

  #address(account: Jid, resource: string | undefined): Jid {
    // RFC 6120 §7.6.1: ours is made up, and not to be guessed.
    if (resource === undefined) return account.withResource(this.#host.random.id().slice(0, 12))
    try {
      return account.withResource(resource)
    } catch {
      throw new StanzaError('bad-request', 'this resource is not allowed')
    }
  }

  /**
   * No route leads to it any more; then everybody hears of it, unless it goes on on another node: then
   * whoever moves it sees to it that the directory hears of it in time.
   */
  remove(session: Session, moved = false): void {
    if (!this.#byId.delete(session.id)) return
    this.#byAddress.delete(session.jid.text)
    const left = this.of(session.account).filter((other) => other !== session)
    if (left.length > 0) this.#byAccount.set(session.account.text, left)
    else this.#byAccount.delete(session.account.text)
    if (!moved) this.#forgetPlace(session)
    this.#host.server.binding.end(session.number)
    session.ended(moved)
    const event = moved ? 'session:moved' : 'session:closed'
    this.#host.server.pending(this.#host.events.emit(event, { session }))
  }
}
