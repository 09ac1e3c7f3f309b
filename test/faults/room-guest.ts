// One client in rooms: resumes where it can, enters again where it cannot, sends again what nobody acknowledged,
// and writes down what it sees in each room, in order.

import { Connection, type Receiver, type Target } from '../../bench/generator/connection.js'
import { PASSWORD } from './device.js'
import { Entrance, SM } from './entrance.js'
import { type Item, Outbox } from './outbox.js'
import { attribute, bare, firstTag, stanzaId } from './stanza-text.js'

const MUC = 'http://jabber.org/protocol/muc'
const ENTER_LIMIT_MS = 20_000
const BACKOFF_MS = 150
const AFTER_ERROR_MS = 500

/** What it saw of a room without a break: it entered, and was in it until it had to enter again. */
export interface Stretch {
  readonly seen: { readonly id: string; readonly mid: string }[]
  readonly ids: Set<string>
  /** Raw repetitions of an id */
  again: number
}

export interface GuestOptions {
  readonly name: string
  readonly user: string
  readonly index: number
  readonly rooms: readonly string[]
  choose(): { readonly node: number; readonly target: Target }
  heard(guest: RoomGuest, room: string, mid: string): void
}

export class RoomGuest implements Receiver {
  readonly stretches = new Map<string, Stretch[]>()
  readonly acknowledged = new Set<string>()
  readonly outbox: Outbox
  ready = false
  node = -1
  over = false
  rejoined = 0
  resumed = 0
  refusals = 0
  /** By condition */
  readonly refusedFor = new Map<string, number>()
  /** Said to be gone, though it never went */
  thrownOut = 0
  readonly #options: GuestOptions
  readonly #inside = new Set<string>()
  readonly #pings = new Map<string, (isIn: boolean) => void>()
  #connection: Connection | undefined
  #handled = 0
  #streams = 0
  #said = 0

  constructor(options: GuestOptions) {
    this.#options = options
    this.outbox = new Outbox(`${options.name}#0`)
  }

  get name(): string {
    return this.#options.name
  }

  get rooms(): readonly string[] {
    return this.#options.rooms
  }

  get settled(): boolean {
    return this.ready && this.#inside.size === this.rooms.length && this.outbox.messages === 0
  }

  isIn(room: string): boolean {
    return this.ready && this.#inside.has(room)
  }

  connect(): void {
    if (this.over) return
    const { id } = this.outbox
    const previous = id === undefined ? undefined : { id, h: this.#handled }
    const { user, name, index } = this.#options
    const { node, target } = this.#options.choose()
    const credentials = { user, password: PASSWORD, resource: name, modern: index % 2 === 0 }
    const entrance = new Entrance(credentials, previous, {
      resumed: (h) => this.#resumed(h, node),
      refused: (h) => h !== undefined && this.#took(h),
      early: () => undefined,
      bound: (_jid, sm) => this.#bound(sm, node),
      lost: () => this.#away(),
    })
    const connection = new Connection(index, target, entrance)
    this.#connection = connection
    const late = () => this.#connection === connection && !this.ready && connection.fail('too slow')
    setTimeout(late, ENTER_LIMIT_MS).unref()
  }

  lost(): void {
    this.#away()
  }

  #away(): void {
    this.ready = false
    this.#connection = undefined
    for (const done of this.#pings.values()) done(false)
    this.#pings.clear()
    if (!this.over) setTimeout(() => this.connect(), BACKOFF_MS * (0.5 + Math.random()))
  }

  /** As if the network had gone */
  cut(): void {
    this.#connection?.fail('cut by the harness')
  }

  close(): void {
    this.over = true
    this.#connection?.close()
  }

  #enter(node: number): void {
    this.node = node
    this.ready = true
    this.#connection!.receiver = this
  }

  #resumed(h: number, node: number): void {
    this.resumed++
    this.#enter(node)
    this.#took(h)
    for (const item of this.outbox.items) this.#transmit(item)
    this.#ask()
  }

  #bound(id: string | undefined, node: number): void {
    if (this.#streams > 0) this.rejoined++
    this.#handled = 0
    this.outbox.renew(`${this.name}#${++this.#streams}`, id, 'uncounted')
    this.#inside.clear()
    this.#enter(node)
    for (const room of this.rooms) this.#join(room)
    this.#ask()
  }

  #join(room: string): void {
    const list = this.stretches.get(room) ?? []
    list.push({ seen: [], ids: new Set(), again: 0 })
    this.stretches.set(room, list)
    const x = `<x xmlns='${MUC}'><history maxstanzas='0'/></x>`
    this.#put(`<presence to='${room}/${this.name}'>${x}</presence>`)
  }

  /** An instant room that stays (XEP-0045 §10.1.2) */
  open(room: string): void {
    const field = (name: string, value: string) =>
      `<field var='${name}'><value>${value}</value></field>`
    const form =
      field('FORM_TYPE', `${MUC}#roomconfig`) + field('muc#roomconfig_persistentroom', '1')
    const x = `<x xmlns='jabber:x:data' type='submit'>${form}</x>`
    this.#put(`<iq type='set' id='open' to='${room}'><query xmlns='${MUC}#owner'>${x}</query></iq>`)
  }

  say(room: string): string | undefined {
    if (!this.isIn(room)) return undefined
    const mid = `${this.name}-${++this.#said}`
    this.#send(room, mid)
    this.#ask()
    return mid
  }

  #send(room: string, mid: string): void {
    const origin = `<origin-id xmlns='urn:xmpp:sid:0' id='${mid}'/>`
    const text = `<message type='groupchat' to='${room}' id='${mid}'><body>${mid}</body>${origin}</message>`
    this.#transmit(this.outbox.put({ mid, to: room, text }))
    this.#connection?.flush()
  }

  /** XEP-0410 §3 */
  ping(room: string): Promise<boolean> {
    if (!this.ready) return Promise.resolve(false)
    const id = `ping-${++this.#said}`
    const to = `${room}/${this.name}`
    return new Promise((resolve) => {
      this.#pings.set(id, resolve)
      this.#put(`<iq type='get' id='${id}' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`)
      setTimeout(() => this.#pings.delete(id) && resolve(false), 10_000).unref()
    })
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    if (connection !== this.#connection) return
    const text = bytes.toString('latin1', start, end)
    if (/^<(message|presence|iq)\b/.test(text)) this.#handled++
    if (text.startsWith('<message')) this.#message(text)
    else if (text.startsWith('<presence')) this.#presence(text)
    else if (text.startsWith('<iq')) this.#iq(text)
    else if (text.startsWith('<r')) connection.write(`<a ${SM} h='${this.#handled}'/>`)
    else if (text.startsWith('<a')) this.#took(Number(attribute(text, 'h')))
  }

  #message(text: string): void {
    const head = firstTag(text)
    const room = bare(attribute(head, 'from') ?? '')
    if (attribute(head, 'type') === 'error') {
      const why =
        /<text[^>]*>([^<]*)/.exec(text)?.[1] ?? /<error[^>]*>\s*<([\w-]+)/.exec(text)?.[1] ?? ''
      this.refusedFor.set(why, (this.refusedFor.get(why) ?? 0) + 1)
      this.#refused(attribute(head, 'id') ?? '', room)
      return
    }
    const mid = /<body>([^<]*)<\/body>/.exec(text)?.[1]
    const id = stanzaId(text, room)
    const stretch = this.stretches.get(room)?.at(-1)
    if (attribute(head, 'type') !== 'groupchat' || !mid || !id || !stretch) return
    if (stretch.ids.has(id)) {
      stretch.again++
      return
    }
    stretch.ids.add(id)
    stretch.seen.push({ id, mid })
    this.#options.heard(this, room, mid)
  }

  /** It is sent once more, as a client does whose user says so. */
  #refused(mid: string, room: string): void {
    this.refusals++
    setTimeout(() => {
      if (!this.over && this.ready) this.#send(room, mid)
      else this.outbox.waiting.push({ mid, to: room, text: '', position: 0 })
    }, AFTER_ERROR_MS).unref()
  }

  #presence(text: string): void {
    const head = firstTag(text)
    const room = bare(attribute(head, 'from') ?? '')
    const type = attribute(head, 'type')
    if (type === 'error') {
      setTimeout(() => this.ready && !this.#inside.has(room) && this.#join(room), AFTER_ERROR_MS)
    } else if (/<status code='110'\/>/.test(text)) {
      if (type === 'unavailable') this.#out(room)
      else this.#in(room)
    }
  }

  #in(room: string): void {
    this.#inside.add(room)
    const mine = this.outbox.waiting.filter(({ to }) => to === room)
    this.outbox.waiting = this.outbox.waiting.filter(({ to }) => to !== room)
    for (const { mid } of mine) this.#send(room, mid!)
  }

  #out(room: string): void {
    if (this.over) return
    this.thrownOut++
    this.#inside.delete(room)
    this.#join(room)
  }

  #iq(text: string): void {
    const head = firstTag(text)
    const id = attribute(head, 'id') ?? ''
    const done = this.#pings.get(id)
    this.#pings.delete(id)
    done?.(attribute(head, 'type') === 'result')
    if (attribute(head, 'type') === 'get') this.#put(`<iq type='result' id='${id}'/>`)
  }

  #took(h: number): void {
    const before = new Set(this.outbox.items)
    this.outbox.acknowledge(h)
    for (const item of this.outbox.items) before.delete(item)
    for (const { mid } of before) if (mid) this.acknowledged.add(mid)
  }

  #put(text: string): void {
    this.#transmit(this.outbox.put({ text }))
    this.#connection?.flush()
  }

  #transmit({ text }: Item): void {
    this.#connection?.send(text)
  }

  #ask(): void {
    this.#connection?.write(`<r ${SM}/>`)
  }

  nudge(): void {
    if (this.ready && this.outbox.items.length > 0) this.#ask()
  }
}
