// Lives of nodes that are over. Another node's is fenced before anything of it is taken over: from then on it
// writes nothing (lives.ts), and everybody is told. When it is this node's own life that is over, others may
// have taken over all that it has: it says nothing more to anybody, neither to clients nor to nodes, and
// whoever runs it stops it and starts another one.

import type { Member } from '../cluster/cluster.js'
import { fence, isFenced } from '../storage/lives.js'
import type { Host } from './host.js'
import type { Server } from './server.js'

type React = (life: string) => void | Promise<void>

const TOPIC = 'fenced'
/** Milliseconds between two looks for somebody who is still listed */
const BETWEEN = 1000
/** LIM-fenced: lives that are known to be over; of others the database is asked. */
const MOST_KNOWN = 10_000

export class Fencing {
  /** Resolves when this node's own life is over and everything is cut off. */
  readonly fenced: Promise<void>
  readonly #server: Server
  /** Lives that are over, and when this node has reacted to that */
  readonly #known = new Map<string, Promise<void>>()
  readonly #taking = new Map<string, Promise<boolean>>()
  /** Nodes that are not listed any more, by what was their life */
  readonly #lost = new Map<string, string>()
  readonly #reactions: React[] = []
  #isOver = false
  #tell: () => void = () => {}

  constructor(server: Server) {
    this.#server = server
    this.fenced = new Promise((resolve) => {
      this.#tell = resolve
    })
    server.talk.on(TOPIC, (life) => this.#ended(String(life)))
    server.members.onGone(({ node, life }) => {
      this.#lost.set(life, node)
      if (this.#lost.size > MOST_KNOWN) this.#lost.delete(this.#lost.keys().next().value!)
    })
  }

  /** This node's own life: nothing it says counts any more. */
  get over(): boolean {
    return this.#isOver
  }

  /** Whether it is known that this life was fenced. */
  isFenced(life: string): boolean {
    return this.#known.has(life)
  }

  /**
   * Runs on every node, the one that fences included, once it is certain that the life writes nothing. Who
   * takes something over waits for it, so it takes over nothing of that life itself.
   */
  onFenced(run: React): void {
    this.#reactions.push(run)
  }

  /** Resolves when that life writes nothing more, the others are told and this one has reacted. */
  async fence(life: string): Promise<void> {
    if (this.#isOver) throw new Error('a life that is over ends no other')
    await fence(this.#server.database, life)
    this.#server.talk.tell(TOPIC, life)
    await this.#ended(life)
  }

  /** Whether what that life had may be taken over: it is certainly over, and fenced. */
  takeOver({ node, life }: Member): Promise<boolean> {
    const taking = this.#taking.get(life) ?? this.#takeOver({ node, life })
    this.#taking.set(life, taking)
    return taking.finally(() => this.#taking.delete(life))
  }

  async #takeOver(member: Member): Promise<boolean> {
    if (this.#known.has(member.life)) {
      await this.#known.get(member.life)
      return true
    }
    if (this.#isOver) return false
    // It said so itself when it stopped, or somebody else did.
    if (await isFenced(this.#server.database, member.life)) {
      await this.#ended(member.life)
      return true
    }
    if (!(await this.#isDead(member))) return false
    // Who stood still in between may be the one that is dead.
    if (await this.check()) return false
    await this.fence(member.life)
    return true
  }

  /** Whoever is not listed, or is listed and does not listen, now and a second later. */
  async #isDead(member: Member): Promise<boolean> {
    const { members, clock } = this.#server
    if (member.life === members.self.life) return false
    // Whoever started this one has ended it.
    if (member.node === members.self.node) return true
    const first = await this.#look(member)
    if (first !== 'silent') return first === 'gone'
    await new Promise<void>((resolve) => clock.after(BETWEEN, resolve))
    return (await this.#look(member)) !== 'there'
  }

  async #look({ node, life }: Member): Promise<'there' | 'silent' | 'gone'> {
    const { members, talk } = this.#server
    try {
      // Who was silent once is not listed any more, and may be all the same.
      await members.say()
    } catch {
      return 'there'
    }
    const listed = members.lifeOf(node)
    // It has begun again.
    if (listed !== undefined && listed !== life) return 'gone'
    if (!members.sure) return 'there'
    if (listed === undefined) return 'gone'
    return (await talk.reaches(node)) || members.cutOff ? 'there' : 'silent'
  }

  #ended(life: string): Promise<void> {
    if (life === this.#server.life) this.cut()
    const reacted = this.#known.get(life) ?? this.#react(life)
    this.#known.set(life, reacted)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    return reacted
  }

  async #react(life: string): Promise<void> {
    if (this.#isOver) return
    this.#giveUp(life)
    for (const react of this.#reactions) {
      try {
        await react(life)
      } catch (error) {
        this.#server.failed('fencing', error)
      }
    }
  }

  /** What it was asked it answers no more, however long it might have had; its next life may. */
  #giveUp(life: string): void {
    const { members, talk } = this.#server
    const node = this.#lost.get(life) ?? members.all().find((one) => one.life === life)?.node
    if (node !== undefined && (members.lifeOf(node) ?? life) === life) talk.giveUp(node)
  }

  /** For a node that could not be told things for a while. Whether its own life is over */
  async check(): Promise<boolean> {
    const { database, life } = this.#server
    if (!this.#isOver && (await isFenced(database, life))) this.cut()
    return this.#isOver
  }

  /** Not a word more: sessions end without anybody hearing of it, entries of the directory stay. */
  cut(): void {
    if (this.#isOver) return
    this.#isOver = true
    const { log, life, journal, schedule, talk, bus, directory, hosts, streams } = this.#server
    log.error('another node took this one for dead: everything is cut off', { life })
    journal.fence()
    schedule.close()
    for (const host of hosts.values()) silence(host)
    talk.close()
    for (const closing of [bus.close(true), directory.close()]) closing.catch(() => undefined)
    for (const { transport } of [...streams]) transport.destroy()
    this.#tell()
  }
}

function silence(host: Host): void {
  host.events.silence()
  host.iq.close()
  for (const session of host.sessions.all()) session.lane.drop()
}
