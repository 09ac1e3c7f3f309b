// A crowd in rooms that speaks all the time: each guest in several rooms, each room with several guests.

import { setTimeout as pause } from 'node:timers/promises'
import { DOMAIN } from '../../bench/peers/peer.js'
import { RoomGuest } from './room-guest.js'
import { type Stage, until } from './stage.js'

const PER_ROOM = 4
const ENTER_LIMIT_MS = 60_000
const TICK_MS = 20
const NUDGE_MS = 500

export class RoomCrowd {
  readonly guests: readonly RoomGuest[]
  readonly rooms: readonly string[]
  readonly #stage: Stage
  #timers: NodeJS.Timeout[] = []
  #listening: ((guest: RoomGuest, room: string, mid: string) => void) | undefined

  constructor(stage: Stage, rooms: number) {
    this.#stage = stage
    const { users } = stage.task
    this.rooms = Array.from({ length: rooms }, (_, at) => `room${at}@rooms.${DOMAIN}`)
    const step = Math.max(1, Math.floor(users / PER_ROOM))
    const guestsOf = (at: number) =>
      Array.from({ length: Math.min(PER_ROOM, users) }, (_, one) => (at + one * step) % users)
    this.guests = Array.from({ length: users }, (_, index) => {
      const mine = this.rooms.filter((_room, at) => guestsOf(at).includes(index))
      const choose = () => {
        const { node } = stage.nodes.doors.choose()
        return { node, target: stage.target('tcp', { node }) }
      }
      const heard = (guest: RoomGuest, room: string, mid: string) =>
        this.#listening?.(guest, room, mid)
      return new RoomGuest({
        ...{ name: `guest${index}`, user: `u${index}`, index, rooms: mine, choose, heard },
      })
    })
  }

  guestsIn(room: string): RoomGuest[] {
    return this.guests.filter(({ rooms }) => rooms.includes(room))
  }

  /** Everybody is in, and speaks from now on. */
  async open(): Promise<void> {
    for (const guest of this.guests) guest.connect()
    await until(() => this.guests.every(({ ready }) => ready), ENTER_LIMIT_MS)
    for (const room of this.rooms) for (const guest of this.guestsIn(room)) guest.open(room)
    if (!(await until(() => this.settled, ENTER_LIMIT_MS)))
      throw new Error('not everybody came into the rooms')
    this.#timers.push(
      setInterval(() => {
        for (const guest of this.guests) guest.nudge()
      }, NUDGE_MS),
    )
  }

  get settled(): boolean {
    return this.guests.every(({ settled }) => settled)
  }

  /** Returns what ends it. */
  speak(rate: number): () => void {
    const { draw } = this.#stage
    let owed = 0
    const timer = setInterval(() => {
      for (owed += (rate * TICK_MS) / 1000; owed >= 1; owed--) {
        const guest = draw.of(this.guests)
        if (guest.rooms.length > 0) guest.say(draw.of(guest.rooms))
      }
    }, TICK_MS)
    return () => clearInterval(timer)
  }

  /**
   * Milliseconds from now until everybody who is on another node than this one has heard something in each of
   * his rooms that was said after now, and what is the longest; those who did not are counted.
   */
  async reached(dead: number, limitMs: number): Promise<{ longest: number; missing: number }> {
    const began = performance.now()
    const fresh = new Set<string>()
    const waiting = new Map<RoomGuest, Set<string>>()
    for (const guest of this.guests)
      if (guest.node !== dead && guest.ready) waiting.set(guest, new Set(guest.rooms))
    let longest = 0
    this.#listening = (guest, room, mid) => {
      const rooms = waiting.get(guest)
      if (!fresh.has(mid) || !rooms?.delete(room)) return
      longest = performance.now() - began
      if (rooms.size === 0) waiting.delete(guest)
    }
    while (waiting.size > 0 && performance.now() - began < limitMs) {
      const open = new Set([...waiting.values()].flatMap((rooms) => [...rooms]))
      for (const room of open) {
        const speaker = this.guestsIn(room).find((guest) => guest.node !== dead && guest.isIn(room))
        const mid = speaker?.say(room)
        if (mid) fresh.add(mid)
      }
      await pause(250)
    }
    this.#listening = undefined
    const missing = [...waiting.values()].reduce((sum, rooms) => sum + rooms.size, 0)
    return { longest: Math.round(longest), missing }
  }

  /** How many of them do not know that they are in, or are not */
  async pingsFailed(which: (guest: RoomGuest) => boolean): Promise<number> {
    const asked = this.guests.filter(which)
    const answers = await Promise.all(
      asked.flatMap((guest) => guest.rooms.map((room) => guest.ping(room))),
    )
    return answers.filter((isIn) => !isIn).length
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer)
    for (const guest of this.guests) guest.close()
  }
}
