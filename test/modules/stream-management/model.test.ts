// Counters and queue against a model: whatever happens to its connections and to the server, a client
// that keeps to XEP-0198 §5 has every message once, in order, and both sides agree on the counts.

import { type Test, test } from 'tap'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'
import { chat, enable, handled, managed, resumes, SM, waits } from './sm-world.js'

const ROMEO = 'romeo@capulet.example'
const JULIET = 'juliet@capulet.example'
const STEPS = 60

function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** What the device knows: as much as a real one, and nothing of the server. */
class Device {
  readonly w: World
  readonly draw: (below: number) => number
  client: Client
  id = ''
  /** Stanzas that it has handled in this session */
  h = 0
  sent = 0
  acknowledged = 0
  readonly bodies: string[] = []
  readonly #seen = new Set<string>()

  constructor(w: World, draw: (below: number) => number) {
    this.w = w
    this.draw = draw
    this.client = w.romeo
  }

  async begins(): Promise<void> {
    await this.client.comesOnline()
    await this.client.clears()
    this.id = await enable(this.client)
    this.h = 0
    this.sent = 0
    this.acknowledged = 0
  }

  /** Handles so many stanzas of those that came. */
  takes(most: number): void {
    for (let taken = 0; taken < most && this.client.inbox.length > 0; ) {
      const element = this.client.inbox.shift()!
      if (!/^(message|presence|iq)$/.test(element.getName())) continue
      taken++
      this.h++
      const id = element.getChild('stanza-id')?.attrs.id
      if (!element.is('message') || this.#seen.has(id)) continue
      this.#seen.add(id)
      this.bodies.push(element.getChildText('body') ?? '')
    }
  }

  acknowledges(): void {
    this.acknowledged += this.draw(this.h - this.acknowledged + 1)
    this.client.sends(`<a ${SM} h='${this.acknowledged}'/>`)
  }

  async resumes(t: Test): Promise<void> {
    this.client = await resumes(this.w, 'romeo', { id: this.id, h: this.h })
    this.acknowledged = this.h
    const answer = await this.client.receives(`<resumed ${SM}/>`)
    t.equal(Number(answer.attrs.h), this.sent, 'both agree on what was handled')
  }
}

async function step(t: Test, device: Device, kill: boolean): Promise<void> {
  const { w, draw } = device
  const what = draw(kill ? 10 : 9)
  if (what < 3) device.takes(draw(12))
  else if (what === 3) device.acknowledges()
  else if (what === 4) {
    device.client.sends(chat(JULIET, `r${device.sent++}`))
    await w.settle()
  } else if (what === 5) await waits(w, 1 + draw(3))
  else if (what < 9) {
    await device.client.breaks()
    device.takes(draw(30))
    if (draw(2) === 0) await waits(w, draw(20))
    await device.resumes(t)
  } else {
    device.takes(draw(30))
    await w.settle()
    await w.restart({ kill: draw(3) > 0 })
    await device.resumes(t)
  }
  await w.settle()
}

async function run(t: Test, seed: number, kill: boolean): Promise<void> {
  const options = { 'stream-management': { queue: 20 } }
  const w = await managed(t, { options, database: 'sqlite' })
  const draw = random(seed)
  const device = new Device(w, draw)
  await device.begins()
  const expected: string[] = []
  let juliet = w.juliet
  for (let at = 0; at < STEPS; at++) {
    if (juliet.transport.ended) juliet = await w.device('juliet', `d${at}`)
    for (let count = draw(6); count > 0; count--) {
      expected.push(`j${expected.length}`)
      juliet.sends(chat(ROMEO, expected.at(-1)!))
    }
    if (draw(3) > 0) await w.settle()
    await step(t, device, kill)
    if (device.client.closed) throw new Error(`it was put out: ${device.client.streamError}`)
  }
  for (let quiet = 0; quiet < 3; quiet++) {
    const before = device.bodies.length
    await w.settle()
    device.takes(Number.POSITIVE_INFINITY)
    device.client.sends(`<a ${SM} h='${device.h}'/>`)
    if (device.bodies.length > before) quiet = 0
  }
  t.same(device.bodies, expected)
  t.equal(await handled(device.client), device.sent)
}

const seeds = process.env.TERCET_SM_SEED
  ? [Number(process.env.TERCET_SM_SEED)]
  : [1, 2, 3, Math.floor(Math.random() * 2 ** 31)]

for (const seed of seeds) {
  test(`connections break in whatever way (seed ${seed})`, (t) => run(t, seed, false))
  test(`the server ends too (seed ${seed})`, (t) => run(t, seed, true))
}
