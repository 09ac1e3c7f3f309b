// SEC-10: whatever a client that has logged in may send, no handler breaks, every request is answered
// once, and nobody else is harmed. All modules, thousands of stanzas; TERCET_SEED repeats a run.

import { t as file, test, type Test } from 'tap'
import type { Client } from '../world/client.js'
import { outcomeOf } from './driver.js'
import { DOMAIN, type World, world } from '../world/world.js'
import { Mutations, type Offered } from './mutations.js'

file.setTimeout(600_000)

const STANZAS = Number(process.env.TERCET_FUZZ ?? 12_000)
const BATCH = 50
const seed = Number(process.env.TERCET_SEED ?? Math.floor(Math.random() * 2 ** 31))

function offersOf({ server }: World): Offered[] {
  const offers = [...server.hosts.get(DOMAIN)!.offered('iq')].flatMap(({ offer }) => offer)
  return offers.flatMap(({ get, set, xmlns }) =>
    [get, set].filter((name) => name !== undefined).map((name) => ({ name, xmlns })),
  )
}

/** Who answers is the server: everybody but a client that is there. */
const answering = [
  undefined,
  DOMAIN,
  `romeo@${DOMAIN}`,
  `juliet@${DOMAIN}`,
  `juliet@${DOMAIN}/gone`,
  `nobody@${DOMAIN}`,
  `nobody@${DOMAIN}/there`,
  'a@b@c',
  'far.example',
  `${DOMAIN}/resource`,
]

class Attacker {
  client: Client
  /** Requests that must be answered, by id */
  readonly open = new Set<string>()
  /** Requests to a client that is there: the server may refuse them, or pass them on */
  readonly free = new Set<string>()
  sent = 0
  readonly faults: string[] = []
  readonly #world: World
  readonly #framing: 'stream' | 'message'
  readonly #make: Mutations

  constructor(w: World, client: Client, make: Mutations) {
    this.#world = w
    this.client = client
    this.#framing = client.transport.framing
    this.#make = make
  }

  async attacks(): Promise<void> {
    for (let i = 0; i < BATCH; i++) this.#send()
    await this.#world.settle()
    for (const answer of this.client.inbox.splice(0)) {
      const { type, id } = answer.attrs
      if (!answer.is('iq') || type === 'get' || type === 'set') continue
      if (!this.open.delete(id) && !this.free.delete(id))
        this.faults.push(`not asked, or answered twice: ${answer}`)
    }
    if (this.client.closed || this.client.transport.ended) await this.#comesBack()
    else if (this.open.size > 0) this.faults.push(`no answer to ${[...this.open]}`)
    this.open.clear()
    this.free.clear()
  }

  #send(): void {
    const kind = this.#make.pick(['iq', 'iq', 'iq', 'message', 'presence'] as const)
    const text = kind === 'iq' ? this.#request() : this.#other(kind)
    this.sent++
    this.client.sends(text)
  }

  #request(): string {
    const id = `fuzz-${this.sent}`
    const type = this.#make.pick(['get', 'set', 'set', 'set', 'result', 'error', 'nonsense'])
    const there = this.#make.chance(0.05)
    const to = there ? `juliet@${DOMAIN}/phone` : this.#make.pick(answering)
    const asks = type === 'get' || type === 'set' || type === 'nonsense'
    if (asks) (there ? this.free : this.open).add(id)
    const address = to === undefined ? '' : ` to='${to}'`
    return `<iq type='${type}' id='${id}'${address}>${this.#make.payload()}</iq>`
  }

  #other(kind: 'message' | 'presence'): string {
    const types = ['', 'chat', 'error', 'unavailable', 'subscribe', 'unsubscribed', 'probe', 'x']
    const to = this.#make.pick([...answering, `juliet@${DOMAIN}/phone`])
    const type = this.#make.pick(types)
    const attributes = `${to === undefined ? '' : ` to='${to}'`}${type && ` type='${type}'`}`
    return `<${kind}${attributes}>${this.#make.content()}</${kind}>`
  }

  /** One may have removed oneself, or been told to go: that is no fault. */
  async #comesBack(): Promise<void> {
    const jid = `romeo@${DOMAIN}`
    await this.#world.server
      .run(DOMAIN, 'user add', { jid, password: 'a good password', force: true })
      .catch(() => {})
    this.client = await this.#world.device('romeo', 'phone', { framing: this.#framing })
  }
}

async function fuzz(t: Test, framing: 'stream' | 'message'): Promise<void> {
  t.comment(`TERCET_SEED=${seed}`)
  const w = await world(t, { modules: 'all', people: ['romeo', 'juliet'], loggedIn: false })
  const juliet = await w.device('juliet', 'phone')
  await juliet.comesOnline()
  const client = await w.device('romeo', 'phone', { framing })
  const attacker = new Attacker(w, client, new Mutations(seed, offersOf(w)))
  while (attacker.sent < STANZAS && attacker.faults.length === 0) {
    await attacker.attacks()
    if (juliet.closed) attacker.faults.push(`Juliet was harmed: ${juliet.streamError}`)
    await juliet.clears()
  }
  t.same(attacker.faults, [])
  w.clock.advance(120_000)
  const answer = await juliet.asks('get', DOMAIN, "<ping xmlns='urn:xmpp:ping'/>")
  t.equal(answer.attrs.type, 'result', 'and Juliet did not notice')
  t.same(
    w.log.filter((line) => / a bug in /.test(line)),
    [],
  )
}

test('SEC-10: nothing that a client sends breaks a handler; over TCP', (t) => fuzz(t, 'stream'))
test('SEC-10: nothing that a client sends breaks a handler; over WebSocket', (t) =>
  fuzz(t, 'message'))

const NS_COMMANDS = 'http://jabber.org/protocol/commands'

test('SEC-10: nor does what an administrator types into a command', async (t) => {
  const w = await world(t, { modules: 'all', people: ['nurse', 'juliet'] })
  await w.juliet.comesOnline()
  const make = new Mutations(seed, [])
  const before = w.server.commands(DOMAIN).length
  t.ok(before > 20)
  for (let round = 0; round < 20; round++) {
    for (const command of w.server.commands(DOMAIN)) {
      const node = command.node ?? command.name.replaceAll(' ', '-')
      const begun = await w.nurse.asks(
        'set',
        DOMAIN,
        `<command xmlns='${NS_COMMANDS}' node='${node}'/>`,
      )
      const sessionid = begun.getChild('command')?.attrs.sessionid ?? 'none'
      const names = Object.entries(command.parameters).map(([name, { field }]) => field ?? name)
      const form = make.form(names)
      const answer = await w.nurse.asks(
        'set',
        DOMAIN,
        `<command xmlns='${NS_COMMANDS}' node='${node}' sessionid='${sessionid}'>${form}</command>`,
      )
      if (outcomeOf(answer) === 'internal-server-error') t.fail(`${command.name}: ${form}`)
    }
  }
  const answer = await w.juliet.asks('get', DOMAIN, "<ping xmlns='urn:xmpp:ping'/>")
  t.equal(answer.attrs.type, 'result')
})
