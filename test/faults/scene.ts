// What a device is, what it does as a habit, and what it knows of the others.

import type { Target } from '../../bench/generator/connection.js'
import type { Event } from './chronicle.js'
import type { Door } from './doors.js'
import type { Draw } from './draw.js'

export interface Identity {
  name: string
  owner: string
  index: number
}

export interface Habits {
  transport: 'tcp' | 'websocket'
  /** SASL2 and Bind 2 where the server offers them */
  modern: boolean
  carbons: boolean
  /** Without, only an exact count keeps a message from being kept twice. */
  originId: boolean
  /** Messages that wait for acknowledgement at most */
  window: number
  /** Asks for an acknowledgement after so many messages. */
  askEvery: number
  /** Milliseconds until it answers a request for an acknowledgement; 0: at once */
  lazy: number
}

/** What a device needs to know of the others. */
export interface Scene {
  readonly draw: Draw
  readonly over: boolean
  /** Where to come in this time */
  choose(): Door
  lifeOf(node: number): number
  target(door: Door, transport: Habits['transport']): Target
  log(event: Event): void
  sentAt(mid: string): number
  now(): number
  /** Whether one more message may be sent now */
  take(): boolean
  /** To whom: an address, bare or full */
  recipient(sender: string): string
}
