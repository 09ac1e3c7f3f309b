// The road of a stanza in five named phases. A handler names its phase, never a number: inside a
// phase order must not matter, and the tests shuffle it. If two modules need an order, this list
// gains a phase with a comment that says why.
//
//   admit    refuse, drop or hold; change nothing
//   amend    return a changed envelope
//   record   add writes to the journal entry of this stanza; what cannot be stored is not delivered
//   deliver  after the commit: take it to its destination, or say `handled`
//   copy     send others a copy; told who got the original; a failure here is logged, no more
//
// Synchronous until proven otherwise: a runner awaits only what hands it a promise.

import type { Envelope } from '../xmpp/envelope.js'
import type { Jid } from '../xmpp/jid.js'
import type { JournalEntry } from '../storage/journal.js'
import type { Session } from './session.js'

export const phases = ['admit', 'amend', 'record', 'deliver', 'copy'] as const
export type Phase = (typeof phases)[number]

export const stanzaHooks = [
  'message:sent',
  'message:received',
  'presence:sent',
  'presence:received',
  'iq:sent',
  'iq:received',
  'message:undelivered',
  'session:write',
] as const
export type StanzaHook = (typeof stanzaHooks)[number]

/** Returned by admit (drop without a word) or deliver (taken): the run of this stanza ends here. */
export const handled = Symbol('handled')
export type Handled = typeof handled

/** One stanza's way through one hook. */
export interface Passage {
  /** Whose side this is: bare, the sender for `sent`, the recipient for `received`. A host's own address for stanzas to the host. */
  readonly account: Jid
  /** The session that sent it, where a client of this node did; for session:write the session written to. */
  readonly session: Session | undefined
  /** What this stanza leaves behind, both sides together: one transaction. */
  readonly entry: JournalEntry
  /**
   * In `record`: a message goes into the log for this account, with these bits of its index
   * (storage/logged-message.ts) beside its direction. None: only until it is delivered.
   */
  keep(flags: number): void
  /** After the commit: what the log has of it for this account. */
  readonly kept: { readonly id: number; readonly flags: number } | undefined
  /** What it causes beyond its delivery: called when the entry is on disk, before the delivery. */
  after(effect: () => void): void
  /** For sessions of this node alone: each node sees to its own. */
  readonly here: boolean
  /** Sessions of this node or others that got the original; filled before `copy`. */
  readonly delivered: readonly Jid[]
}

type Later<T> = T | Promise<T>
type Nothing = void | undefined

export interface PhaseHandlers {
  admit?: (envelope: Envelope, passage: Passage) => Later<Nothing | Handled>
  amend?: (envelope: Envelope, passage: Passage) => Later<Nothing | Envelope>
  record?: (envelope: Envelope, passage: Passage) => Later<Nothing>
  deliver?: (envelope: Envelope, passage: Passage) => Later<Nothing | Handled>
  copy?: (envelope: Envelope, passage: Passage) => Later<Nothing>
}

export type Hooks = { [H in StanzaHook]?: PhaseHandlers }

type Call = (envelope: Envelope, passage: Passage) => unknown
interface Entry {
  owner: string
  call: Call
}

const empty: readonly Entry[] = []

/** The handlers of one hook. Lists are replaced, never changed, so a run may be under way meanwhile. */
type Lists = { [P in Phase]: readonly Entry[] }

const nobody: Lists = { admit: empty, amend: empty, record: empty, deliver: empty, copy: empty }

/** The handlers of one host. */
export class Pipeline {
  #lists = new Map<StanzaHook, Lists>()
  /** Of `session:write`, which runs once for every recipient */
  #writing: Lists | undefined
  #shuffle: (<T>(list: T[]) => T[]) | undefined

  /** Tests pass a shuffle: order inside a phase must not matter. */
  constructor(shuffle?: <T>(list: T[]) => T[]) {
    this.#shuffle = shuffle
  }

  add(owner: string, hooks: Hooks): void {
    for (const [hook, handlers] of Object.entries(hooks) as [StanzaHook, PhaseHandlers][]) {
      const lists = { ...this.#of(hook) }
      for (const [phase, call] of Object.entries(handlers) as [Phase, Call][]) {
        const next = [...lists[phase], { owner, call }]
        lists[phase] = this.#shuffle ? this.#shuffle(next) : next
      }
      this.#lists.set(hook, lists)
    }
    this.#writing = this.#lists.get('session:write')
  }

  remove(owner: string): void {
    for (const [hook, before] of this.#lists) {
      const lists = { ...before }
      for (const phase of phases)
        lists[phase] = before[phase].filter((entry) => entry.owner !== owner)
      if (phases.every((phase) => lists[phase].length === 0)) this.#lists.delete(hook)
      else this.#lists.set(hook, lists)
    }
    this.#writing = this.#lists.get('session:write')
  }

  #of(hook: StanzaHook): Lists {
    return this.#lists.get(hook) ?? nobody
  }

  has(hook: StanzaHook): boolean {
    return this.#lists.has(hook)
  }

  handlers(hook: StanzaHook, phase: Phase): readonly Entry[] {
    return this.#of(hook)[phase]
  }

  /** admit, amend and record. The envelope to go on with, or `handled` where it ends. */
  prepare(hook: StanzaHook, envelope: Envelope, passage: Passage): Later<Envelope | Handled> {
    const lists = this.#lists.get(hook)
    return lists ? runPrepare(lists, envelope, passage) : envelope
  }

  /** The modules' say in `deliver`; the core delivers where none says `handled`. */
  deliver(hook: StanzaHook, envelope: Envelope, passage: Passage): Later<Nothing | Handled> {
    return runList(this.#of(hook).deliver, 0, envelope, passage) as Later<Nothing | Handled>
  }

  /** All of `session:write`: what is to be written, or `handled` where somebody keeps it or leaves it out. */
  write(envelope: Envelope, passage: Passage): Later<Envelope | Handled> {
    const lists = this.#writing
    if (!lists) return envelope
    const prepared = runPrepare(lists, envelope, passage)
    if (prepared === handled || prepared instanceof Promise) return prepared
    // Who holds it back puts it later, as it is now.
    const taken = runList(lists.deliver, 0, prepared, passage) as Later<Nothing | Handled>
    if (taken instanceof Promise) return taken.then((result) => result ?? prepared)
    return taken === handled ? handled : prepared
  }

  /** Nobody waits for it but who stops the server. */
  copy(
    hook: StanzaHook,
    envelope: Envelope,
    passage: Passage,
    failed: CopyFailed,
  ): Promise<void> | undefined {
    let waiting: Promise<unknown>[] | undefined
    for (const { owner, call } of this.#of(hook).copy) {
      try {
        const result = call(envelope, passage)
        if (result instanceof Promise)
          (waiting ??= []).push(result.catch((error) => failed(owner, error)))
      } catch (error) {
        failed(owner, error)
      }
    }
    return waiting && Promise.all(waiting).then(() => undefined)
  }
}

export type CopyFailed = (owner: string, error: unknown) => void

function runPrepare(lists: Lists, envelope: Envelope, passage: Passage): Later<Envelope | Handled> {
  const admitted = runList(lists.admit, 0, envelope, passage)
  if (admitted === handled) return handled
  if (admitted instanceof Promise) {
    return admitted.then((result) =>
      result === handled ? handled : afterAdmit(lists, envelope, passage),
    )
  }
  return afterAdmit(lists, envelope, passage)
}

function afterAdmit(lists: Lists, envelope: Envelope, passage: Passage): Later<Envelope> {
  const amended = runAmend(lists.amend, 0, envelope, passage)
  if (amended instanceof Promise) return amended.then((result) => runRecord(lists, result, passage))
  return runRecord(lists, amended, passage)
}

function runRecord(lists: Lists, envelope: Envelope, passage: Passage): Later<Envelope> {
  const recorded = runList(lists.record, 0, envelope, passage)
  return recorded instanceof Promise ? recorded.then(() => envelope) : envelope
}

function runAmend(
  list: readonly Entry[],
  at: number,
  envelope: Envelope,
  passage: Passage,
): Later<Envelope> {
  for (let i = at; i < list.length; i++) {
    const result = list[i]!.call(envelope, passage) as Later<Envelope | undefined>
    if (result instanceof Promise) {
      return result.then((changed) => runAmend(list, i + 1, changed ?? envelope, passage))
    }
    envelope = result ?? envelope
  }
  return envelope
}

function runList(
  list: readonly Entry[],
  at: number,
  envelope: Envelope,
  passage: Passage,
): Later<unknown> {
  for (let i = at; i < list.length; i++) {
    const result = list[i]!.call(envelope, passage)
    if (result === handled) return handled
    if (result instanceof Promise) {
      return result.then((value) =>
        value === handled ? handled : runList(list, i + 1, envelope, passage),
      )
    }
  }
  return undefined
}
