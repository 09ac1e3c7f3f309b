// All devices of a run and what they share: the seeded choices, the common log, how many messages
// may be sent, who has to be reached again after a fault.

import type { Target } from '../../bench/generator/connection.js'
import type { Event, Reception } from './chronicle.js'
import { Device } from './device.js'
import type { Door, Doors } from './doors.js'
import type { Draw } from './draw.js'
import type { Habits, Scene } from './scene.js'

export interface Cast {
  users: number
  window: number
  carbons: boolean
  doors: Doors
  target(door: Door, transport: Habits['transport']): Target
}

const NUDGE_MS = 100
const DOMAIN = 'localhost'

export class Arena implements Scene {
  readonly draw: Draw
  readonly devices: Device[] = []
  readonly events: Event[] = []
  readonly target: Cast['target']
  over = false
  /** Since when a device waits for a message of after that moment */
  readonly unreached = new Map<string, number>()
  readonly #doors: Doors
  readonly #users: number
  readonly #sentAt = new Map<string, number>()
  readonly #timer: NodeJS.Timeout
  #tokens = 0
  #goal: { left: number; reached: () => void } | undefined

  constructor(draw: Draw, cast: Cast) {
    this.draw = draw
    this.target = cast.target
    this.#doors = cast.doors
    this.#users = cast.users
    for (let user = 0; user < cast.users; user++) {
      this.#add(user, 'a', cast)
      // Every third user has a second device; without carbons it would not be owed everything.
      if (cast.carbons && user % 3 === 2) this.#add(user, 'b', cast)
    }
    this.#timer = setInterval(() => this.#nudge(), NUDGE_MS)
  }

  #add(user: number, letter: string, { window, carbons }: Cast): void {
    const index = this.devices.length
    const { draw } = this
    const habits: Habits = {
      transport: index % 3 === 1 ? 'websocket' : 'tcp',
      modern: index % 2 === 1,
      carbons: carbons && user % 3 === 2,
      originId: index % 4 !== 3,
      window,
      askEvery: draw.of([1, 2, window]),
      lazy: draw.chance(0.25) ? draw.whole(20, 150) : 0,
    }
    const identity = { name: `u${user}${letter}`, owner: `u${user}@${DOMAIN}`, index }
    this.devices.push(new Device(this, identity, habits))
  }

  open(): void {
    for (const device of this.devices) device.connect()
  }

  close(): void {
    this.over = true
    clearInterval(this.#timer)
    for (const device of this.devices) device.close()
  }

  now(): number {
    return performance.timeOrigin + performance.now()
  }

  log(event: Event): void {
    this.events.push(event)
    if (event.op === 'recv') this.#reached(event)
    if (event.op !== 'send' || event.again) return
    this.#sentAt.set(event.mid, event.t)
    const goal = this.#goal
    if (goal && --goal.left === 0) goal.reached()
  }

  #reached({ device, mid, via }: Reception): void {
    const since = this.unreached.get(device)
    if (since !== undefined && via !== 'archive' && this.sentAt(mid) >= since)
      this.unreached.delete(device)
  }

  choose(): Door {
    return this.#doors.choose()
  }

  lifeOf(node: number): number {
    return this.#doors.lifeOf(node)
  }

  sentAt(mid: string): number {
    return this.#sentAt.get(mid) ?? 0
  }

  take(): boolean {
    if (this.#tokens === 0) return false
    this.#tokens--
    return true
  }

  /** Lets so many messages be sent, no more; whoever is asked first may take them all. */
  allow(messages: number, first = 0): void {
    this.#tokens = messages
    const { length } = this.devices
    for (let at = 0; at < length; at++) this.devices[(first + at) % length]!.pump()
  }

  /** Until so many more were sent, or the time is over. */
  afterSending(messages: number, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#goal = undefined
        resolve()
      }
      const timer = setTimeout(done, limitMs)
      this.#goal = { left: messages, reached: done }
    })
  }

  /** Mostly the neighbour, so that conversations have an order to keep; now and then anybody. */
  recipient(sender: string): string {
    const own = Number(/\d+/.exec(sender)![0])
    const { draw } = this
    const neighbour = own ^ 1
    let user = neighbour < this.#users && draw.chance(0.8) ? neighbour : own
    while (user === own) user = draw.whole(0, this.#users - 1)
    const owner = `u${user}@${DOMAIN}`
    if (draw.chance(0.7)) return owner
    return draw.of(this.devices.filter((device) => device.owner === owner)).address
  }

  get inFlight(): number {
    return this.devices.reduce((sum, { outbox }) => sum + outbox.messages, 0)
  }

  get present(): number {
    return this.devices.filter(({ ready }) => ready).length
  }

  get settled(): boolean {
    return this.devices.every(({ settled }) => settled)
  }

  /** Something is about to break. */
  fault(node?: number): void {
    const where = node === undefined ? {} : { node }
    this.log({ op: 'fault', inFlight: this.inFlight, ...where, ...this.#hit([]) })
  }

  /** Whoever is on that node, or tries to come in there, is thrown out. */
  faultOf(node: number): void {
    const hit = this.devices.filter(({ whereabouts }) => whereabouts.node === node)
    this.log({ op: 'fault', inFlight: this.inFlight, node, ...this.#hit(hit) })
  }

  /** These, wherever they are */
  thrownOut(devices: readonly Device[]): void {
    this.log({ op: 'fault', inFlight: this.inFlight, ...this.#hit(devices) })
  }

  /** What was broken is there again. */
  healed(hit: readonly Device[] = []): void {
    this.log({ op: 'healed', ...this.#hit(hit) })
  }

  #hit(devices: readonly Device[]) {
    const t = this.now()
    const hit = devices.map(({ name }) => name)
    for (const name of hit) this.unreached.set(name, t)
    return { hit, t }
  }

  #nudge(): void {
    for (const device of this.devices) device.nudge()
  }
}
