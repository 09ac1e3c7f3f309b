// Announcements: what administrators tell everybody who is online, a message of the day that each
// account is told once, and a welcome for who is new (XEP-0133 §4.23 to §4.28). They are headlines,
// kept nowhere. Sessions of other nodes are told by their own node as they come online.

import type { Host } from '../../lib/core/host.js'
import { defineModule } from '../../lib/core/module.js'
import type { Session } from '../../lib/core/session.js'
import { xml } from '../../lib/xmpp/element.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import { announcementCommands } from './announcement-commands.js'
import { AnnouncementStore, type Kind, type Standing } from './announcement-store.js'
import { migrations } from './tables.js'

export default defineModule({
  name: 'announcements',
  summary: 'Announcements, a message of the day, and a welcome for new users',
  migrations,

  setup(host) {
    const board = new Board(host)
    return {
      commands: announcementCommands(board),
      on: {
        'session:available': ({ session }) => board.greet(session),
        'account:created': ({ number }) => board.expect(number),
      },
      account: { forget: ({ number }, trx) => board.store.forget(trx, number) },
    }
  },
})

export class Board {
  readonly store: AnnouncementStore
  readonly #host: Host
  #standing: Standing | undefined

  constructor(host: Host) {
    this.#host = host
    this.store = new AnnouncementStore(host.database, host.domain)
  }

  /** In memory while no other node can change it. */
  async standing(): Promise<Standing> {
    const alone = this.#host.server.bus.nodes().length <= 1
    const standing = (alone && this.#standing) || (await this.store.standing())
    this.#standing = standing
    return standing
  }

  async text(kind: Kind): Promise<string | undefined> {
    return (await this.standing())[kind]?.text
  }

  /** To who is online now; how many sessions that are. */
  announce(text: string): number {
    const online = [...this.#host.sessions.all()].filter(({ available }) => available)
    for (const session of online) this.#tell(session, text)
    return online.length
  }

  async setMotd(text: string): Promise<number> {
    await this.#changed(() => this.store.set('motd', text))
    const { motd } = await this.standing()
    const online = [...this.#host.sessions.all()].filter(({ available }) => available)
    const accounts = new Set(online.map(({ number }) => number))
    for (const account of motd ? accounts : []) await this.store.see(motd!.id, account)
    for (const session of online) this.#tell(session, text)
    return online.length
  }

  async set(kind: Kind, text: string): Promise<void> {
    await this.#changed(() => this.store.set(kind, text))
  }

  edit(kind: Kind, text: string): Promise<boolean> {
    return this.#changed(() => this.store.edit(kind, text))
  }

  remove(kind: Kind): Promise<boolean> {
    return this.#changed(() => this.store.remove(kind))
  }

  async #changed<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change()
    } finally {
      this.#standing = undefined
    }
  }

  /** A new account: welcomed when it comes online for the first time. */
  async expect(account: number): Promise<void> {
    if ((await this.standing()).welcome) await this.store.welcomeLater(account)
  }

  async greet(session: Session): Promise<void> {
    const { motd, welcome } = await this.standing()
    if (welcome && (await this.store.welcome(session.number))) this.#tell(session, welcome.text)
    if (motd && (await this.store.see(motd.id, session.number))) this.#tell(session, motd.text)
  }

  #tell(session: Session, text: string): void {
    const message = xml('message', { type: 'headline' }, xml('body', {}, text))
    this.#host.router.send(Stanza.of(message), { from: this.#host.jid, to: session.jid })
  }
}
