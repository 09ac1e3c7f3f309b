// Announcements: what administrators tell everybody who is online, a message of the day that each
// account is told once, and a welcome for who is new (XEP-0133 §4.23 to §4.28). They are headlines,
// kept nowhere. Each node tells its own sessions.

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
      remembers: {
        announcements: { forget: () => board.forget(), forgetAll: () => board.forget() },
      },
      answers: {
        announce: (text) => board.announceHere(text as string),
        'announce the message of the day': () => board.announceMotd(),
      },
    }
  },
})

/** How many sessions, and which nodes did not say */
export interface Told {
  readonly sessions: number
  readonly silent: readonly string[]
}

export class Board {
  readonly store: AnnouncementStore
  readonly #host: Host
  #standing: { readonly known: Standing; readonly read: number } | undefined
  #changes = 0

  constructor(host: Host) {
    this.#host = host
    this.store = new AnnouncementStore(host.database, host.domain)
  }

  /** In memory until somebody changes it, on whatever node. */
  async standing(): Promise<Standing> {
    const { clock, server } = this.#host
    const standing = this.#standing
    if (standing && standing.read + server.changes.believed >= clock.now()) return standing.known
    const changes = this.#changes
    const known = await this.store.standing()
    if (changes === this.#changes) this.#standing = { known, read: clock.now() }
    return known
  }

  forget(): void {
    this.#changes++
    this.#standing = undefined
  }

  async text(kind: Kind): Promise<string | undefined> {
    return (await this.standing())[kind]?.text
  }

  /** To who is online now; how many sessions that are. */
  announce(text: string): Promise<Told> {
    return this.#everywhere('announce', text)
  }

  announceHere(text: string): number {
    const online = this.#online()
    for (const session of online) this.#tell(session, text)
    return online.length
  }

  async setMotd(text: string): Promise<Told> {
    await this.#changed(() => this.store.set('motd', text))
    return this.#everywhere('announce the message of the day', null)
  }

  async announceMotd(): Promise<number> {
    const { motd } = await this.standing()
    if (!motd) return 0
    const online = this.#online()
    const accounts = new Set(online.map(({ number }) => number))
    for (const account of accounts) await this.store.see(motd.id, account)
    for (const session of online) this.#tell(session, motd.text)
    return online.length
  }

  #online(): Session[] {
    return [...this.#host.sessions.all()].filter(({ available }) => available)
  }

  async #everywhere(question: string, content: unknown): Promise<Told> {
    const { given, silent } = await this.#host.everywhere<number>(question, content)
    return { sessions: given.reduce((sum, count) => sum + count, 0), silent }
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
      this.forget()
      this.#host.changed('announcements', '')
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
