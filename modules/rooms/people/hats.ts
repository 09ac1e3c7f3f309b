// The hats of one room (XEP-0317): which there are, and who wears them. Given by its admins alone.

import { createHash } from 'node:crypto'
import { serialize, type Wire, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import type { Jid } from '../../../lib/xmpp/jid.js'
import { NS_HATS } from '../presences.js'

/** LIM-hats: of one room */
const MOST_HATS = 100
/** LIM-hats-worn: by one account, and accounts in one room that wear any */
const MOST_WORN = 20
const MOST_WEARERS = 5000

export interface Hat {
  readonly uri: string
  readonly title: string
  /** An angle, '' for none */
  readonly hue: string
}

export interface Worn {
  /** Bare */
  readonly jid: string
  readonly uri: string
}

export class Hats {
  readonly #hats = new Map<string, Hat>()
  readonly #worn = new Map<string, Set<string>>()

  constructor(hats: readonly Hat[] = [], worn: readonly Worn[] = []) {
    for (const hat of hats) this.set(hat)
    for (const one of worn) this.assign(one)
  }

  all(): Hat[] {
    return [...this.#hats.values()]
  }

  get(uri: string): Hat {
    const hat = this.#hats.get(uri)
    if (!hat) throw new StanzaError('item-not-found', 'there is no such hat')
    return hat
  }

  set(hat: Hat): void {
    this.#hats.set(hat.uri, hat)
  }

  /** Nobody wears it any more. */
  destroy(uri: string): void {
    this.#hats.delete(uri)
    for (const { jid } of this.worn(uri)) this.unassign({ jid, uri })
  }

  assign({ jid, uri }: Worn): void {
    const worn = this.#worn.get(jid)
    if (worn) worn.add(uri)
    else this.#worn.set(jid, new Set([uri]))
  }

  unassign({ jid, uri }: Worn): void {
    const worn = this.#worn.get(jid)
    worn?.delete(uri)
    if (worn?.size === 0) this.#worn.delete(jid)
  }

  /** Who is gone wears none. */
  forget(jid: string): void {
    this.#worn.delete(jid)
  }

  /** By everybody; of one hat where it is named */
  worn(uri?: string): Worn[] {
    const all = [...this.#worn].flatMap(([jid, uris]) =>
      [...uris].map((one) => ({ jid, uri: one })),
    )
    return uri === undefined ? all : all.filter((one) => one.uri === uri)
  }

  wears({ jid, uri }: Worn): boolean {
    return this.#worn.get(jid)?.has(uri) === true
  }

  checkRoomForHat(uri: string): void {
    if (!this.#hats.has(uri) && this.#hats.size >= MOST_HATS)
      throw new StanzaError('resource-constraint', `a room has no more than ${MOST_HATS} hats`)
  }

  checkRoomForWearer(jid: string): void {
    const worn = this.#worn.get(jid)
    if (worn ? worn.size >= MOST_WORN : this.#worn.size >= MOST_WEARERS)
      throw new StanzaError('resource-constraint', 'too many hats are worn here')
  }

  /** XEP-0317 §3.1, '' for who wears none */
  wireOf(account: Jid): Wire {
    const worn = this.#worn.get(account.text)
    if (!worn) return ''
    const hats = [...worn].flatMap((uri) => this.#hats.get(uri) ?? [])
    return serialize(xml('hats', NS_HATS, ...hats.map(hatElement)))
  }

  /** XEP-0317 §2: another one where the list is another one; '' for no hats. */
  hash(): string {
    if (this.#hats.size === 0) return ''
    const lines = this.all().map(({ uri, title, hue }) => `${uri}\n${title}\n${hue}`)
    return createHash('sha1').update(lines.sort().join('\n\n')).digest('hex')
  }
}

function hatElement({ uri, title, hue }: Hat) {
  return xml('hat', { title, uri, hue: hue || undefined })
}

const URI = /^[a-z][a-z0-9+.-]*:\S+$/i

/** What an admin filled in; throws StanzaError for what may not be. */
export function checkedHat({ uri, title, hue }: Hat): Hat {
  if (!URI.test(uri) || uri.length > 500)
    throw new StanzaError('not-acceptable', 'a hat is named by a URI')
  if (title === '' || title.length > 100)
    throw new StanzaError('not-acceptable', 'a hat has a title of at most 100 characters')
  const isHue = /^\d{1,3}(\.\d{1,9})?$/.test(hue) && Number(hue) <= 360
  if (hue !== '' && !isHue)
    throw new StanzaError('not-acceptable', 'the hue is an angle of at most 360 degrees')
  return { uri, title, hue }
}
