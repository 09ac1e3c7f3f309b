// What a device is given: messages on its stream, copies, errors, pages of the archive. It writes all
// of it down and knows up to where the archive is known.

import { ArchivePages } from './archive-pages.js'
import type { Way } from './chronicle.js'
import type { Identity, Scene } from './scene.js'
import { attribute, bare, firstTag, type Said, said, stanzaId } from './stanza-text.js'

export interface Consequences {
  ask(iq: string): void
  refused(mid: string, condition: string): void
  caughtUp(): void
}

/** Where it is given */
export interface Place {
  stream: string
  boot: number
  since: number
}

const AGAIN_MS = 100

export class Reading {
  /** The archive has to be read before this device knows what it missed. */
  behind = false
  readonly #scene: Scene
  readonly #name: string
  readonly #owner: string
  readonly #then: Consequences
  #place: Place = { stream: '', boot: 0, since: 0 }
  #pages: ArchivePages | undefined
  /** The archive is known up to this id. */
  #seen: string | undefined
  #seenMeanwhile: string | undefined

  constructor(scene: Scene, who: Pick<Identity, 'name' | 'owner'>, then: Consequences) {
    this.#scene = scene
    this.#name = who.name
    this.#owner = who.owner
    this.#then = then
  }

  enter(place: Place): void {
    this.#place = place
  }

  interrupted(): void {
    this.#pages = undefined
  }

  catchUp(): void {
    const place = this.#place
    this.behind = true
    this.#pages = new ArchivePages({
      after: this.#seen,
      send: (iq) => this.#then.ask(iq),
      row: ({ id, mid, to, sound }) => {
        this.#seen = id
        if (to === this.#owner) this.#write({ mid, sound }, id, 'archive')
      },
      done: (failure) => {
        this.#pages = undefined
        if (failure === undefined) this.#caughtUp()
        else this.#fromTheBeginning(place)
      },
    })
  }

  /** The archive does not know the last id that it gave. */
  #fromTheBeginning(place: Place): void {
    this.#seen = undefined
    setTimeout(() => {
      if (this.#place === place && this.behind && !this.#pages) this.catchUp()
    }, AGAIN_MS)
  }

  #caughtUp(): void {
    this.behind = false
    this.#seen = this.#seenMeanwhile ?? this.#seen
    this.#seenMeanwhile = undefined
    this.#then.caughtUp()
  }

  /** Whether the stanza was for this and nobody else */
  given(stanza: string): boolean {
    if (this.#pages?.accept(stanza)) return true
    if (!stanza.startsWith('<message') || stanza.includes('urn:xmpp:mam:2')) return false
    const head = firstTag(stanza)
    if (attribute(head, 'type') === 'error') {
      const condition = /<error[^>]*>\s*<([\w-]+)/.exec(stanza)?.[1] ?? 'none'
      this.#then.refused(attribute(head, 'id') ?? '', condition)
    } else this.#content(stanza)
    return true
  }

  #content(stanza: string): void {
    const copy = stanza.includes('urn:xmpp:carbons:2')
    const message = copy ? stanza.slice(stanza.indexOf('<message', 8)) : stanza
    const content = said(message)
    if (!content || bare(attribute(firstTag(message), 'to') ?? '') !== this.#owner) return
    const id = stanzaId(message, this.#owner)
    const late = this.#scene.sentAt(content.mid) < this.#place.since
    this.#write(content, id, copy ? 'carbon' : late ? 'late' : 'live')
    if (this.behind) this.#seenMeanwhile = id ?? this.#seenMeanwhile
    else this.#seen = id ?? this.#seen
  }

  #write(content: Said, stanzaId: string | undefined, via: Way): void {
    const { stream, boot } = this.#place
    const where = { device: this.#name, stream, boot }
    this.#scene.log({ op: 'recv', ...content, ...where, via, stanzaId, t: this.#scene.now() })
  }
}
