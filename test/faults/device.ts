// One device of one user: keeps coming back whatever happens, resumes where it can, catches up from
// the archive where it cannot, sends again what nobody acknowledged, writes down what it sees. It
// behaves as a good client should, so that whatever is lost or doubled is the server's doing.

import { Connection, type Receiver } from '../../bench/generator/connection.js'
import { Entrance, SM } from './entrance.js'
import { type Again, type Item, Outbox } from './outbox.js'
import { Reading } from './reading.js'
import type { Habits, Identity, Scene } from './scene.js'
import { attribute, bare, bodyOf, encode, firstTag } from './stanza-text.js'
import { Whereabouts } from './whereabouts.js'

export const PASSWORD = 'faults under load'
const ENTER_LIMIT_MS = 20_000
const SILENCE_LIMIT_MS = 30_000
const BACKOFF_MS = { first: 20, last: 300 }
/** After an error a client does not press on at once. */
const AFTER_ERROR_MS = 40

export class Device implements Receiver {
  readonly name: string
  readonly owner: string
  /** Where others write to: they know the full one when its presence was handled. */
  address: string
  readonly habits: Habits
  readonly outbox: Outbox
  ready = false
  readonly #scene: Scene
  readonly #index: number
  readonly #reading: Reading
  #connection: Connection | undefined
  #streams = 0
  #messages = 0
  /** Stanzas handled on this stream */
  #handled = 0
  /** Its full address, and the position of the presence that tells others */
  #announced = { jid: '', at: Number.POSITIVE_INFINITY }
  readonly whereabouts: Whereabouts
  #backoff = BACKOFF_MS.first
  #again: Again = 'uncounted'
  #refused: 'refused' | 'uncounted' | undefined
  #early: string[] = []
  #sinceAsked = 0
  #askedAt: number | undefined
  #pausedUntil = 0

  constructor(scene: Scene, { name, owner, index }: Identity, habits: Habits) {
    this.#scene = scene
    this.whereabouts = new Whereabouts(scene)
    this.name = name
    this.owner = owner
    this.address = owner
    this.#index = index
    this.habits = habits
    this.outbox = new Outbox(`${name}#0`)
    this.#reading = new Reading(
      scene,
      { name, owner },
      {
        ask: (iq) => this.#put(iq),
        refused: (mid, condition) => this.#error(mid, condition),
        caughtUp: () => {
          this.#sendWaiting()
          this.pump()
        },
      },
    )
  }

  get settled(): boolean {
    return this.ready && !this.#reading.behind && this.outbox.messages === 0
  }

  connect(): void {
    if (this.#scene.over) return
    const { id } = this.outbox
    const previous = id === undefined ? undefined : { id, h: this.#handled }
    const user = this.owner.split('@')[0]!
    const resource = this.name
    const credentials = { user, password: PASSWORD, resource, modern: this.habits.modern }
    const entrance = new Entrance(credentials, previous, {
      resumed: (h) => this.#resumed(h),
      refused: (h) => this.#refusedBy(h),
      early: (stanza) => this.#early.push(stanza),
      bound: (jid, id) => this.#bound(jid, id),
      lost: (why) => this.#away(why),
    })
    const door = this.#scene.choose()
    this.whereabouts.dials(door)
    const target = this.#scene.target(door, this.habits.transport)
    const connection = new Connection(this.#index, target, entrance)
    this.#connection = connection
    const late = () => this.#connection === connection && !this.ready && connection.fail('too slow')
    setTimeout(late, ENTER_LIMIT_MS).unref()
  }

  lost(_: Connection, why: string): void {
    this.#away(why)
  }

  /** Why it last had to come in again */
  lastFailure = ''

  #away(why: string): void {
    this.lastFailure = why
    this.ready = false
    this.#reading.interrupted()
    this.#connection = undefined
    this.#early = []
    if (this.#scene.over) return
    const wait = this.#backoff * (0.5 + this.#scene.draw.share())
    this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MS.last)
    setTimeout(() => this.connect(), wait)
  }

  /** As if the network had gone: no goodbye, the server may not notice. */
  cut(): void {
    this.#connection?.fail('cut by the harness')
  }

  close(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  #resumed(h: number): void {
    const { outbox } = this
    this.#report('resumed', h)
    this.#enter('resumed')
    this.#took(h)
    for (const item of outbox.items) this.#transmit(item, 'counted')
    if (this.#reading.behind) this.#reading.catchUp()
    else this.#sendWaiting()
    this.#ask()
    this.pump()
  }

  #refusedBy(h: number | undefined): void {
    if (h === undefined) {
      this.#refused ??= 'uncounted'
      return
    }
    this.#report('failed', h)
    this.outbox.acknowledge(h)
    this.#refused = 'refused'
  }

  #bound(jid: string, id: string | undefined): void {
    const how = this.#refused ?? (this.#streams === 0 ? 'fresh' : 'uncounted')
    this.#again = how === 'refused' ? 'counted' : 'uncounted'
    this.address = this.owner
    this.#handled = 0
    this.outbox.renew(`${this.name}#${++this.#streams}`, id, this.#again)
    this.#refused = undefined
    this.#reading.behind = how !== 'fresh'
    this.#enter(how)
    for (const stanza of this.#early.splice(0)) this.#reading.given(stanza)
    if (this.habits.carbons)
      this.#put("<iq type='set' id='copy'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    this.#announced = { jid, at: this.#put('<presence/>').position }
    if (this.#reading.behind) this.#reading.catchUp()
    this.#ask()
    this.pump()
  }

  #enter(how: 'resumed' | 'refused' | 'uncounted' | 'fresh'): void {
    const t = this.#scene.now()
    const crashed = this.whereabouts.enters()
    const { node, ends } = this.whereabouts
    this.#scene.log({ op: 'enter', device: this.name, how, crashed, node, t })
    this.#reading.enter({ stream: this.outbox.stream, boot: ends, since: t })
    this.#backoff = BACKOFF_MS.first
    this.#askedAt = undefined
    this.#connection!.receiver = this
    this.ready = true
  }

  #report(by: 'a' | 'resumed' | 'failed', h: number): void {
    const { stream, sent } = this.outbox
    this.#scene.log({ op: 'ack', stream, h, by, sent, t: this.#scene.now() })
  }

  #sendWaiting(): void {
    const { outbox } = this
    for (const { mid, to, text } of outbox.waiting) {
      this.#transmit(outbox.put({ mid: mid!, to: to!, text }), outbox.again)
    }
    outbox.waiting = []
  }

  stanza(connection: Connection, bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString('latin1', start, end)
    if (connection !== this.#connection) return
    const letter = text[1]
    if (letter === 'm' || letter === 'p') this.#handle(text)
    else if (letter === 'i') this.#iq(text)
    else if (letter === 'r') this.#answer()
    else if (letter === 'a') this.#acknowledged(Number(attribute(text, 'h')))
  }

  #handle(stanza: string): boolean {
    this.#handled++
    return this.#reading.given(stanza)
  }

  #iq(text: string): void {
    if (this.#handle(text)) return
    const head = firstTag(text)
    if (attribute(head, 'type') === 'get')
      this.#put(`<iq type='result' id='${attribute(head, 'id')}'/>`)
  }

  #acknowledged(h: number): void {
    const before = this.outbox.acked
    this.#askedAt = undefined
    this.#report('a', h)
    this.#took(h)
    // Where nothing was acknowledged yet, asking again at once would only make it busy.
    if (this.outbox.acked > before) this.pump()
  }

  #answer(): void {
    const connection = this.#connection!
    const say = () => {
      if (this.#connection === connection) connection.write(`<a ${SM} h='${this.#handled}'/>`)
    }
    if (this.habits.lazy > 0) setTimeout(say, this.habits.lazy)
    else connection.send(`<a ${SM} h='${this.#handled}'/>`)
  }

  #took(h: number): void {
    this.outbox.acknowledge(h)
    if (this.outbox.acked >= this.#announced.at) this.address = this.#announced.jid
  }

  #error(mid: string, condition: string): void {
    this.#pausedUntil = this.#scene.now() + AFTER_ERROR_MS
    this.outbox.remove(mid)
    this.#scene.log({ op: 'err', mid, condition, t: this.#scene.now() })
  }

  /** Sends as much as it may. */
  pump(): void {
    if (!this.ready || this.#reading.behind || this.#scene.now() < this.#pausedUntil) return
    const { outbox, habits } = this
    while (outbox.items.length < habits.window && this.#scene.take()) {
      this.#send()
      if (++this.#sinceAsked >= habits.askEvery) this.#ask()
    }
    if (outbox.items.length >= habits.window && this.#askedAt === undefined) this.#ask()
    this.#connection?.flush()
  }

  /** Now and then: nobody else may have a reason to ask. */
  nudge(): void {
    if (!this.ready) return
    if (this.#askedAt !== undefined && this.#scene.now() - this.#askedAt > SILENCE_LIMIT_MS) {
      this.#connection?.fail('the server is silent')
      return
    }
    if (this.outbox.items.length > 0) this.#ask()
    this.pump()
  }

  #send(): void {
    const mid = `${this.name}-${++this.#messages}`
    const to = this.#scene.recipient(this.owner)
    const origin = this.habits.originId ? `<origin-id xmlns='urn:xmpp:sid:0' id='${mid}'/>` : ''
    const body = `<body>${encode(bodyOf(mid))}</body>`
    const text = `<message type='chat' to='${to}' id='${mid}'>${body}${origin}</message>`
    this.#transmit(this.outbox.put({ mid, to: bare(to), text }), false)
  }

  #transmit({ mid, to, text, position }: Item, again: Again | false): void {
    if (mid !== undefined) {
      const { stream } = this.outbox
      const address = attribute(text, 'to')!
      const who = { device: this.name, from: this.owner, to: to!, address }
      const what = { mid, ...who, stream, position, again }
      this.#scene.log({ op: 'send', ...what, t: this.#scene.now() })
    }
    this.#connection?.send(text)
  }

  #put(text: string): Item {
    const item = this.outbox.put({ text })
    this.#transmit(item, false)
    this.#connection?.flush()
    return item
  }

  #ask(): void {
    this.#sinceAsked = 0
    this.#askedAt ??= this.#scene.now()
    this.#connection?.write(`<r ${SM}/>`)
  }
}
