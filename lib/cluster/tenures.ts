// What this node owns of one kind. A key is claimed when it is first asked for, taken up by whoever declared
// the kind, and let go on request, when the kind is closed, or never: then this node's life is over and
// somebody else takes it over. Questions wait while their key is taken up or let go; what a question does to
// others of its key is for whoever answers.

import { StanzaError } from '../xmpp/errors.js'
import type { Member } from './cluster.js'

export interface Question {
  readonly content: unknown
  /** Of the node that asks */
  readonly from: string
  /** The same when it is asked again, and of no other question */
  readonly number: string
}

/** What owns keys of a kind. */
export interface Owner {
  /** It is this node's from here on, in a tenure with this number. What it is comes from the database. */
  take(key: string, epoch: number): void | Promise<void>
  /** Throws StanzaError to refuse. */
  answer(key: string, question: Question): unknown
  /** It is not this node's any more as soon as this is done: everything of it is on disk then. */
  release(key: string): void | Promise<void>
}

/** Who owns what, for all nodes (ownership.ts). */
export interface Deeds {
  claim(kind: string, key: string): Promise<{ epoch: number } | { owner: Member }>
  release(kind: string, key: string): Promise<void>
}

interface Tenure {
  readonly epoch: number
  /** Questions that are being answered */
  open: number
  idle: (() => void) | undefined
  leaving: Promise<void> | undefined
}

type Held = Tenure | { readonly owner: Member }

/** An answer, or whom to ask; nobody where this node owns nothing any more. */
export type Outcome = { readonly answer: unknown } | { readonly elsewhere: Member | null }

/** LIM-owned: keys of one kind that a node owns at a time */
const MOST_HELD = 100_000

interface TenuresOptions {
  readonly kind: string
  readonly owner: Owner
  readonly deeds: Deeds
  /** Whether what that life owned may be taken over */
  takeOver(member: Member): Promise<boolean>
  readonly most?: number
}

export class Tenures {
  readonly #options: TenuresOptions
  readonly #held = new Map<string, Promise<Held>>()
  #closed = false

  constructor(options: TenuresOptions) {
    this.#options = options
  }

  has(key: string): boolean {
    return this.#held.has(key)
  }

  get size(): number {
    return this.#held.size
  }

  async answer(key: string, question: Question): Promise<Outcome> {
    for (;;) {
      if (this.#closed && !this.#held.has(key)) return { elsewhere: null }
      const held = await this.#hold(key)
      if ('owner' in held) return { elsewhere: held.owner }
      if (!held.leaving) return { answer: await this.#answer(key, question, held) }
      await held.leaving
    }
  }

  async #answer(key: string, question: Question, tenure: Tenure): Promise<unknown> {
    tenure.open++
    try {
      return (await this.#options.owner.answer(key, question)) ?? null
    } finally {
      if (--tenure.open === 0) tenure.idle?.()
    }
  }

  #hold(key: string): Promise<Held> {
    const there = this.#held.get(key)
    if (there) return there
    const { most = MOST_HELD } = this.#options
    if (this.#held.size >= most) return Promise.reject(new StanzaError('resource-constraint'))
    const claiming = this.#claim(key)
    const forget = (): void => {
      if (this.#held.get(key) === claiming) this.#held.delete(key)
    }
    this.#held.set(key, claiming)
    claiming.then((held) => void ('owner' in held && forget()), forget)
    return claiming
  }

  async #claim(key: string): Promise<Held> {
    const { kind, owner, deeds, takeOver } = this.#options
    let claim = await deeds.claim(kind, key)
    if ('owner' in claim && (await takeOver(claim.owner))) claim = await deeds.claim(kind, key)
    if ('owner' in claim) return claim
    try {
      await owner.take(key, claim.epoch)
    } catch (error) {
      await deeds.release(kind, key).catch(() => undefined)
      throw error
    }
    return { epoch: claim.epoch, open: 0, idle: undefined, leaving: undefined }
  }

  /** Resolves when nobody owns it; questions that are being answered are finished first. */
  async letGo(key: string): Promise<void> {
    const held = await this.#held.get(key)?.catch(() => undefined)
    if (!held || 'owner' in held) return
    held.leaving ??= this.#leave(key, held)
    await held.leaving
  }

  async #leave(key: string, tenure: Tenure): Promise<void> {
    const { kind, owner, deeds } = this.#options
    if (tenure.open > 0)
      await new Promise<void>((resolve) => {
        tenure.idle = resolve
      })
    try {
      await owner.release(key)
      await deeds.release(kind, key)
    } finally {
      this.#held.delete(key)
    }
  }

  /** Lets everything go, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    const results = await Promise.allSettled([...this.#held.keys()].map((key) => this.letGo(key)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /** This node's life is over: nothing is its own any more, and nothing is said about it. */
  drop(): void {
    this.#closed = true
    this.#held.clear()
  }
}
