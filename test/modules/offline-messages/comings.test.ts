// Whoever comes, in whatever order, with whatever client, and whatever ends meanwhile: no accepted message
// is lost, a client gets none twice unless the process was killed, and all come in their order.

import { type Test, test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import { KEPT } from '../../../lib/storage/logged-message.js'
import { keptForGood } from '../../../lib/xmpp/message-traits.js'
import type { Client } from '../../world/client.js'
import { freshPostgres } from '../../world/postgres.js'
import { DOMAIN, world, type World } from '../../world/world.js'

const seed = Number(process.env.TERCET_SEED ?? Math.floor(Math.random() * 2 ** 31))
/** For a longer look */
const RUNS = Number(process.env.TERCET_RUNS ?? 1)
const STEPS = 50
const MOST_CRASHES = 3

const archive = defineModule({
  name: 'archive',
  summary: 'Keeps every message for good',
  setup: () => ({
    hooks: {
      'message:received': {
        record: ({ stanza }, passage) => {
          if (keptForGood(stanza)) passage.keep(KEPT)
        },
      },
    },
    iq: [{ set: 'query', xmlns: 'urn:xmpp:mam:2', to: 'account', allow: 'self', answer: () => {} }],
  }),
})

interface Terms {
  seed: number
  archived: boolean
  crashes: boolean
  nodes: 1 | 2
}

interface Device {
  client: Client
  reader: boolean
}

/** Linear congruential: the low bits are not used. */
function randomness(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

class Story {
  readonly #t: Test
  readonly #terms: Terms
  readonly #random: (below: number) => number
  readonly #database: string
  #world!: World
  #romeo!: Client
  #devices: Device[] = []
  #sent = 0
  readonly #refused = new Set<number>()
  readonly #fleeting = new Set<number>()
  /** What each resource of a plain client got, over all its connections */
  readonly #got = new Map<string, number[]>()
  /** What anybody got */
  readonly #reached = new Set<number>()
  #readers = 0
  #crashes = 0
  /** Messages before this one are done with. */
  #settled = 0

  constructor(t: Test, terms: Terms, database: string) {
    this.#t = t
    this.#terms = terms
    this.#database = database
    this.#random = randomness(terms.seed)
  }

  async run(): Promise<void> {
    await this.#start(['romeo', 'juliet'])
    for (let step = 0; step < STEPS; step++) await this.#step()
    await this.#end()
    this.#check()
  }

  async #start(people: readonly string[]): Promise<void> {
    const { archived, nodes } = this.#terms
    const modules = archived ? ['offline-messages', archive] : ['offline-messages']
    const database = this.#database
    this.#world = await world(this.#t, { modules, nodes, database, people, loggedIn: false })
    this.#romeo = await this.#world.device('romeo', `orchard${this.#random(1e6)}`)
  }

  #step(): Promise<void> | void {
    const what = this.#random(20)
    if (what < 9) return this.#say()
    if (what < 13) return this.#come(what === 12 ? -1 : 0, false)
    if (what < 14 && this.#terms.archived) return this.#come(0, true)
    if (what < 17) return this.#go()
    if (what < 18 && this.#terms.crashes && this.#crashes++ < MOST_CRASHES) return this.#crash()
    return this.#settle()
  }

  /** Some are in time for what is under way, some are not. */
  async #settle(): Promise<void> {
    await this.#world.settle()
    this.#settled = this.#sent
  }

  async #say(): Promise<void> {
    for (let i = this.#random(4); i >= 0; i--) {
      const number = this.#sent++
      const fleeting = this.#random(4) === 0
      if (fleeting) this.#fleeting.add(number)
      const hint = fleeting ? "<no-permanent-store xmlns='urn:xmpp:hints'/>" : ''
      this.#romeo.sends(
        `<message to='juliet@${DOMAIN}' type='chat' id='${number}'><body>${number}</body>${hint}</message>`,
      )
    }
    if (this.#random(2) === 0) await this.#settle()
  }

  async #come(priority: number, reader: boolean): Promise<void> {
    const resource = reader ? 'reader' : `plain${this.#random(2)}`
    this.#leave(this.#devices.find(({ client }) => client.jid.endsWith(resource)))
    await this.#settle()
    const node = this.#random(this.#terms.nodes)
    const client = await this.#world.device('juliet', resource, { node })
    if (reader) await client.asks('set', undefined, "<query xmlns='urn:xmpp:mam:2'/>")
    if (reader) this.#readers++
    this.#devices.push({ client, reader })
    client.sends(`<presence><priority>${priority}</priority></presence>`)
    if (this.#random(2) === 0) await this.#settle()
  }

  async #go(): Promise<void> {
    const device = this.#devices[this.#random(this.#devices.length)]
    const way = this.#random(3)
    if (way === 0) device?.client.sends("<presence type='unavailable'/>")
    else if (way === 1) device?.client.sends('<presence/>')
    else this.#leave(device)
    if (this.#random(2) === 0) await this.#settle()
  }

  #leave(device: Device | undefined): void {
    if (!device) return
    device.client.transport.cut(new Error('the connection broke'))
    this.#take(device)
    this.#devices = this.#devices.filter((one) => one !== device)
  }

  /** In the middle of things: of what was just sent nobody was promised anything. */
  async #crash(): Promise<void> {
    for (let turns = this.#random(12); turns > 0; turns--)
      await new Promise((resolve) => setImmediate(resolve))
    for (let number = this.#settled; number < this.#sent; number++) this.#refused.add(number)
    this.#hearRefusals()
    for (const device of [...this.#devices]) this.#take(device)
    this.#devices = []
    await this.#start([])
  }

  async #end(): Promise<void> {
    await this.#settle()
    for (const device of [...this.#devices]) this.#leave(device)
    await this.#settle()
    await this.#come(0, false)
    await this.#settle()
    this.#hearRefusals()
    for (const device of [...this.#devices]) this.#take(device)
  }

  #hearRefusals(): void {
    for (const element of this.#romeo.inbox)
      if (element.is('message') && element.attrs.type === 'error')
        this.#refused.add(Number(element.attrs.id))
  }

  #take({ client, reader }: Device): void {
    const numbers = client.inbox
      .filter((element) => element.is('message'))
      .map((element) => Number(element.attrs.id))
    for (const number of numbers) this.#reached.add(number)
    this.#t.same(
      numbers,
      [...numbers].sort((a, b) => a - b),
      'in order',
    )
    if (reader) return
    const resource = client.jid.slice(client.jid.indexOf('/') + 1)
    this.#got.set(resource, [...(this.#got.get(resource) ?? []), ...numbers])
  }

  #check(): void {
    if (!this.#terms.crashes)
      for (const [resource, numbers] of this.#got)
        this.#t.equal(new Set(numbers).size, numbers.length, `${resource} got none twice`)
    // What an archive keeps whoever reads the archive has from there.
    const owed = this.#readers === 0 ? this.#all() : [...this.#fleeting]
    const lost = owed.filter((one) => !this.#reached.has(one) && !this.#refused.has(one))
    this.#t.same(lost, [], 'none is lost')
  }

  #all(): number[] {
    return Array.from({ length: this.#sent }, (_, i) => i)
  }
}

for (let run = 0; run < RUNS; run++) {
  for (const archived of [false, true]) {
    for (const nodes of [1, 2] as const) {
      for (const crashes of [false, true]) {
        const what = `${archived ? 'an' : 'no'} archive, ${crashes ? 'killed now and then' : 'never killed'}, nodes: ${nodes}`
        test(`TERCET_SEED=${seed + run}: ${what} (XEP-0160 §3)`, async (t) => {
          const database = nodes === 1 && !crashes ? 'sqlite:memory' : await freshPostgres()
          await new Story(t, { seed: seed + run, archived, crashes, nodes }, database).run()
        })
      }
    }
  }
}
