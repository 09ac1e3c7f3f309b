// SEC-10 in rooms: whatever is sent to rooms, to those in them and to their service, by an owner, a member and a
// stranger: no handler breaks, every request is answered once, and the room lives on. TERCET_SEED repeats a run.

import { t as file, test, type Test } from 'tap'
import type { Client } from '../world/client.js'
import { DOMAIN, type World, world } from '../world/world.js'
import { Mutations, type Offered } from './mutations.js'

file.setTimeout(300_000)

const STANZAS = Number(process.env.TERCET_FUZZ ?? 4000)
const BATCH = 40
const seed = Number(process.env.TERCET_SEED ?? Math.floor(Math.random() * 2 ** 31))

const MUC = 'http://jabber.org/protocol/muc'
const SERVICE = `rooms.${DOMAIN}`
const ROOM = `orchard@${SERVICE}`

const offers: readonly Offered[] = [
  ...['owner', 'admin', 'unique'].map((part) => ({ name: 'query', xmlns: `${MUC}#${part}` })),
  ...['info', 'items'].map((part) => ({
    name: 'query',
    xmlns: `http://jabber.org/protocol/disco#${part}`,
  })),
  { name: 'query', xmlns: 'jabber:iq:register' },
  { name: 'query', xmlns: 'urn:xmpp:mam:2' },
  { name: 'metadata', xmlns: 'urn:xmpp:mam:2' },
  { name: 'moderate', xmlns: 'urn:xmpp:message-moderate:1' },
  { name: 'command', xmlns: 'http://jabber.org/protocol/commands' },
  { name: 'vCard', xmlns: 'vcard-temp' },
  { name: 'ping', xmlns: 'urn:xmpp:ping' },
  { name: 'search', xmlns: 'urn:xmpp:channel-search:0:search' },
]

/** Rooms whose requests the server answers itself */
const answering = [ROOM, SERVICE, `gone@${SERVICE}`, `a\u{1f339}@${SERVICE}`, `${SERVICE}/x`]
const nicks = ['Romeo', 'Juliet', 'x', ' ', 'ｊｕｌｉｅｔ', '\u202eJ', 'n'.repeat(200)]

class Pieces {
  readonly make: Mutations

  constructor(make: Mutations) {
    this.make = make
  }

  /** What rooms look at, with values of every kind */
  piece(): string {
    const { make } = this
    const v = (): string => make.value().replaceAll("'", '&apos;').replaceAll('<', '&lt;')
    const made = [
      () => `<x xmlns='${MUC}'><history maxstanzas='${v()}' since='${v()}'/></x>`,
      () => `<x xmlns='${MUC}'><password>${v()}</password></x>`,
      () => `<x xmlns='${MUC}#user'><invite to='${v()}'><reason>${v()}</reason></invite></x>`,
      () => `<x xmlns='${MUC}#user'><decline to='${v()}'/><status code='${v()}'/></x>`,
      () => `<x xmlns='jabber:x:conference' jid='${v()}'/>`,
      () =>
        `<x xmlns='jabber:x:data' type='${v()}'><field var='FORM_TYPE'><value>${MUC}#request</value></field><field var='muc#role'><value>${v()}</value></field></x>`,
      () => `<retract xmlns='urn:xmpp:message-retract:1' id='${v()}'/>`,
      () => `<replace xmlns='urn:xmpp:message-correct:0' id='${v()}'/>`,
      () => `<displayed xmlns='urn:xmpp:chat-markers:0' id='${v()}'/>`,
      () =>
        `<displayed xmlns='urn:xmpp:mds:displayed:0'><stanza-id xmlns='urn:xmpp:sid:0' by='${ROOM}' id='${v()}'/></displayed>`,
      () => `<stanza-id xmlns='urn:xmpp:sid:0' by='${v()}' id='${v()}'/>`,
      () => `<origin-id xmlns='urn:xmpp:sid:0' id='${v()}'/>`,
      () => `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='${v()}'/>`,
      () => `<reference xmlns='urn:xmpp:reference:0' type='mention' uri='xmpp:${v()}'/>`,
      () => `<mention xmlns='urn:xmpp:mentions:0' occupantid='${v()}' jid='${v()}'/>`,
      () => `<delay xmlns='urn:xmpp:delay' from='${v()}' stamp='${v()}'/>`,
      () => `<body>${v()}</body>`,
      () => `<subject>${v()}</subject>`,
      () => make.content(),
    ]
    return make.pick(made)()
  }

  pieces(): string {
    let text = ''
    do text += this.piece()
    while (this.make.chance(0.5))
    return text
  }
}

class Attacker {
  readonly open = new Set<string>()
  readonly faults: string[] = []
  readonly #pieces: Pieces
  readonly #name: string
  client: Client
  #sent = 0

  constructor(name: string, client: Client, make: Mutations) {
    this.#name = name
    this.client = client
    this.#pieces = new Pieces(make)
  }

  send(): void {
    const { make } = this.#pieces
    const kind = make.pick(['iq', 'iq', 'message', 'message', 'presence'] as const)
    const id = `${this.#name}-${++this.#sent}`
    if (kind === 'iq') this.client.sends(this.#request(id))
    else this.client.sends(this.#other(kind, id))
  }

  #request(id: string): string {
    const { make } = this.#pieces
    const type = make.pick(['get', 'set', 'set', 'result', 'error', 'nonsense'])
    const inside = make.chance(0.1)
    const to = inside ? `${ROOM}/${make.pick(nicks)}` : make.pick(answering)
    // Whoever is inside answers for himself, or does not.
    if (!inside && type !== 'result' && type !== 'error') this.open.add(id)
    return `<iq type='${type}' id='${id}' to='${to}'>${make.payload()}</iq>`
  }

  #other(kind: 'message' | 'presence', id: string): string {
    const { make } = this.#pieces
    const types =
      kind === 'message'
        ? ['groupchat', 'groupchat', 'chat', '', 'error', 'x']
        : ['', '', 'unavailable', 'error', 'subscribe', 'x']
    const type = make.pick(types)
    const to = make.chance(0.6) ? ROOM : make.pick(answering)
    const nick = kind === 'presence' || make.chance(0.2) ? `/${make.pick(nicks)}` : ''
    const address = to.includes('/') ? to : `${to}${nick}`
    return `<${kind} id='${id}' to='${address}'${type && ` type='${type}'`}>${this.#pieces.pieces()}</${kind}>`
  }

  /** Everything that came; what was asked is answered, once. */
  looks(): void {
    for (const answer of this.client.inbox.splice(0)) {
      const { type, id } = answer.attrs
      if (!answer.is('iq') || type === 'get' || type === 'set') continue
      if (!this.open.delete(id) && answering.includes(answer.attrs.from))
        this.faults.push(`not asked, or answered twice: ${answer}`)
      if (answer.getChild('error')?.getChild('internal-server-error'))
        this.faults.push(`an error of ours: ${answer}`)
    }
    if (this.client.closed || this.client.transport.ended) this.open.clear()
    if (this.open.size > 0) this.faults.push(`no answer to ${[...this.open]}`)
    this.open.clear()
  }
}

/** The room is what it was at first, with whoever may be there. */
async function again(w: World, attackers: readonly Attacker[]): Promise<void> {
  for (const attacker of attackers)
    if (attacker.client.closed || attacker.client.transport.ended)
      attacker.client = await w.device(attacker.client.account.split('@')[0]!, 'phone')
  for (const { client } of attackers) {
    client.sends(`<presence to='${ROOM}/${client.account}'><x xmlns='${MUC}'/></presence>`)
    const form = "<x xmlns='jabber:x:data' type='submit'/>"
    client.sends(
      `<iq type='set' id='again' to='${ROOM}'><query xmlns='${MUC}#owner'>${form}</query></iq>`,
    )
    await w.settle()
  }
  for (const { client } of attackers) client.inbox.length = 0
}

async function fuzz(t: Test, framing: 'stream' | 'message'): Promise<void> {
  t.comment(`TERCET_SEED=${seed}`)
  const people = ['romeo', 'juliet', 'tybalt', 'nurse']
  const w = await world(t, { modules: 'all', people, loggedIn: false, mayFail: false })
  const make = new Mutations(seed, offers)
  const attackers: Attacker[] = []
  for (const name of people.slice(0, 3))
    attackers.push(new Attacker(name, await w.device(name, 'phone', { framing }), make))
  const nurse = await w.device('nurse', 'phone')
  let sent = 0
  const faults = (): string[] => attackers.flatMap((one) => one.faults)
  while (sent < STANZAS && faults().length === 0) {
    await again(w, attackers)
    for (let i = 0; i < BATCH; i++, sent++) make.pick(attackers).send()
    await w.settle()
    for (const attacker of attackers) attacker.looks()
    await nurse.clears()
  }
  t.same(faults(), [])
  const answer = await nurse.asks(
    'get',
    SERVICE,
    "<query xmlns='http://jabber.org/protocol/disco#items'/>",
  )
  t.equal(answer.attrs.type, 'result', 'and others did not notice')
  t.same(
    w.log.filter((line) => / a bug in /.test(line)),
    [],
  )
}

test('SEC-10: nothing that is sent to rooms breaks a handler; over TCP', (t) => fuzz(t, 'stream'))
test('SEC-10: nothing that is sent to rooms breaks a handler; over WebSocket', (t) =>
  fuzz(t, 'message'))
