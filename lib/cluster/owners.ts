// What is one node's alone: each key of a kind has one owner among the nodes, who answers all questions about
// it. Where nobody owns it yet, the nodes agree by a hash who is asked first (the highest of a node and the
// key: when nodes come and go, few keys have another one). Whoever is asked claims it where it may, or says
// who owns it. A key stays where it is until it is let go or its owner is dead: a node that joins gets what
// is claimed from then on.

import { createHash } from 'node:crypto'
import type { Clock } from '../ops/clock.js'
import { isStanzaCondition, StanzaError } from '../xmpp/errors.js'
import type { Member, Members } from './cluster.js'
import { Refused, type Talk, Unanswered } from './talk.js'
import { type Deeds, type Outcome, type Owner, type Question, Tenures } from './tenures.js'

const TOPIC = 'owned'
/** Milliseconds */
const PATIENCE = 10_000
/** How long a node that owns nothing more of a kind is not asked */
const AWAY = 60_000
/** How often a question goes on to somebody else */
const MOST_HOPS = 6
/** LIM-owners: keys of one kind whose owners are remembered */
const MOST_KNOWN = 100_000

interface OwnersOptions {
  readonly members: Members
  readonly talk: Talk
  readonly clock: Clock
  readonly deeds: Deeds
  takeOver(member: Member): Promise<boolean>
  isFenced(life: string): boolean
}

/** A question on its way: what of it travels */
interface Asked {
  readonly kind: string
  readonly key: string
  readonly content: unknown
  readonly number: string
}

type Refusal = Pick<StanzaError, 'text' | 'type' | 'application'> & { readonly refused: string }
type Reply = Outcome | Refusal

export class Owners {
  readonly #options: OwnersOptions
  readonly #kinds = new Map<string, Owned>()
  #questions = 0

  constructor(options: OwnersOptions) {
    this.#options = options
    options.talk.on(TOPIC, (content, from) => this.#asked(content as Asked, from))
  }

  /** Declares a kind on this node. Ends with its `close`. */
  of(kind: string, owner: Owner): Owned {
    if (this.#kinds.has(kind)) throw new Error(`somebody owns ${kind} already`)
    const number = (): string => `${this.#options.members.self.life} ${++this.#questions}`
    const closed = (): void => void this.#kinds.delete(kind)
    const owned = new Owned(this.#options, { kind, owner, number, closed })
    this.#kinds.set(kind, owned)
    return owned
  }

  async #asked({ kind, key, content, number }: Asked, from: string): Promise<Reply> {
    const owned = this.#kinds.get(kind)
    if (!owned) return { elsewhere: null }
    try {
      return await owned.tenures.answer(key, { content, from, number })
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error
      const { condition: refused, text, type, application } = error
      return { refused, text, type, application }
    }
  }

  /** This node's life is over. */
  drop(): void {
    for (const { tenures } of this.#kinds.values()) tenures.drop()
  }
}

interface Declared {
  readonly kind: string
  readonly owner: Owner
  number(): string
  closed(): void
}

/** Keys of one kind, for whoever asks and for the node that owns them. */
export class Owned {
  readonly tenures: Tenures
  readonly #options: OwnersOptions
  readonly #declared: Declared
  readonly #known = new Map<string, Member>()
  /** Lives that own nothing of this kind any more, and until when they are not asked */
  readonly #away = new Map<string, number>()

  constructor(options: OwnersOptions, declared: Declared) {
    const { kind, owner } = declared
    const { deeds, members } = options
    this.#options = options
    this.#declared = declared
    // Who is listed is asked; if it does not answer, whoever asks sees to that.
    const takeOver = async (member: Member): Promise<boolean> =>
      members.lifeOf(member.node) !== member.life && options.takeOver(member)
    this.tenures = new Tenures({ kind, owner, deeds, takeOver })
  }

  /** Whether it was owned by somebody when it was last asked about. */
  isKnown(key: string): boolean {
    return this.tenures.has(key) || this.#known.has(key)
  }

  /** Its owner's answer. Rejects with StanzaError; where nobody answered it may be done all the same. */
  async call(key: string, content: unknown): Promise<unknown> {
    const { kind } = this.#declared
    const asked: Asked = { kind, key, content, number: this.#declared.number() }
    let target = this.#targetOf(key)
    let failed = false
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const reply = await this.#ask(target, asked)
      if (reply && 'refused' in reply) throw refusalOf(reply)
      if (reply && 'answer' in reply) {
        this.#learn(key, target)
        return reply.answer
      }
      this.#known.delete(key)
      if (!reply) {
        if (failed || !(await this.#options.takeOver(target))) break
        failed = true
      }
      if (!reply?.elsewhere) this.#setAside(target)
      target = reply?.elsewhere ?? this.#targetOf(key)
    }
    throw new StanzaError('resource-constraint', 'its owner does not answer')
  }

  #targetOf(key: string): Member {
    const { members } = this.#options
    if (this.tenures.has(key)) return members.self
    const known = this.#known.get(key)
    if (known) return known
    const able = members.all().filter(({ life }) => !this.#isAway(life))
    return choose(able.length > 0 ? able : [members.self], `${this.#declared.kind}\n${key}`)
  }

  /** Undefined where nobody answered. */
  async #ask({ node, life }: Member, asked: Asked): Promise<Reply | undefined> {
    const { members, talk, isFenced } = this.#options
    if (isFenced(life)) return undefined
    if (life === members.self.life) return this.tenures.answer(asked.key, questionOf(asked, node))
    // Somebody else knows of it already; and another life of it knows nothing of what this one owned.
    if (members.lifeOf(node) !== life) await members.say().catch(() => undefined)
    if (members.lifeOf(node) !== life) return undefined
    try {
      return (await talk.ask(node, TOPIC, asked, PATIENCE)) as Reply
    } catch (error) {
      if (error instanceof Unanswered) return undefined
      if (error instanceof Refused) throw new StanzaError('internal-server-error')
      throw error
    }
  }

  #isAway(life: string): boolean {
    const until = this.#away.get(life)
    if (until !== undefined && until <= this.#options.clock.now()) this.#away.delete(life)
    return this.#away.has(life)
  }

  #setAside({ life }: Member): void {
    this.#away.set(life, this.#options.clock.now() + AWAY)
    if (this.#away.size > MOST_KNOWN) this.#away.delete(this.#away.keys().next().value!)
  }

  #learn(key: string, owner: Member): void {
    if (owner.life === this.#options.members.self.life) return
    this.#known.set(key, owner)
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!)
  }

  /** Nobody owns it afterwards. Not to be waited for by an answer about the same key. */
  letGo(key: string): Promise<void> {
    return this.tenures.letGo(key)
  }

  /** Lets everything go; who asks now is sent to others. */
  async close(): Promise<void> {
    try {
      await this.tenures.close()
    } finally {
      this.#declared.closed()
    }
  }
}

function questionOf({ content, number }: Asked, from: string): Question {
  return { content, number, from }
}

function refusalOf({ refused, text, type, application }: Refusal): StanzaError {
  if (!isStanzaCondition(refused)) return new StanzaError('internal-server-error', text)
  return new StanzaError(refused, text, { type, ...(application && { application }) })
}

/** The node whose hash with the key is the highest. */
export function choose(nodes: readonly Member[], key: string): Member {
  let best = nodes[0]!
  let highest = ''
  for (const member of nodes) {
    const hash = createHash('sha256').update(`${member.node}\n${key}`).digest('hex')
    if (hash <= highest) continue
    best = member
    highest = hash
  }
  return best
}
