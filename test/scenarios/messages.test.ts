// Who gets a message: RFC 6121 §8.5, cell by cell of its table in §8.5.4.

import { scenario } from '../world/grounds.js'
import { DOMAIN, world } from '../world/world.js'

const JULIET = `juliet@${DOMAIN}`
const all = { modules: ['presence', 'roster'] } as const

/** What becomes of each type: delivered to these resources, an error, or silence. */
type Fate = readonly string[] | 'error' | 'silence'
type Fates = { normal: Fate; chat: Fate; groupchat: Fate; headline: Fate; error: Fate }
const types = ['normal', 'chat', 'groupchat', 'headline', 'error'] as const

interface Cell {
  name: string
  /** Juliet's resources and their priority; undefined: connected but unavailable */
  resources: Record<string, number | undefined>
  to: string
  fates: Fates
}

const every = (fate: Fate): Fates => ({
  normal: fate,
  chat: fate,
  groupchat: fate,
  headline: fate,
  error: fate,
})

const cells: Cell[] = [
  {
    name: 'no such account, bare (RFC 6121 §8.5.1)',
    resources: {},
    to: `nobody@${DOMAIN}`,
    fates: { ...every('error'), error: 'silence' },
  },
  {
    name: 'no such account, full (RFC 6121 §8.5.1)',
    resources: {},
    to: `nobody@${DOMAIN}/there`,
    fates: { ...every('error'), error: 'silence' },
  },
  {
    name: 'no available resource, bare (RFC 6121 §8.5.2.2)',
    resources: { phone: undefined },
    to: JULIET,
    fates: {
      normal: 'error',
      chat: 'error',
      groupchat: 'error',
      headline: 'silence',
      error: 'silence',
    },
  },
  {
    name: 'no available resource, full without a match (RFC 6121 §8.5.3.2)',
    resources: { phone: undefined },
    to: `${JULIET}/gone`,
    fates: {
      normal: 'error',
      chat: 'error',
      groupchat: 'error',
      headline: 'silence',
      error: 'silence',
    },
  },
  {
    name: 'only negative resources, bare (RFC 6121 §8.5.2.1.1)',
    resources: { phone: -1 },
    to: JULIET,
    fates: {
      normal: 'error',
      chat: 'error',
      groupchat: 'error',
      headline: 'silence',
      error: 'silence',
    },
  },
  {
    name: 'only negative resources, full with a match (RFC 6121 §8.5.3.1)',
    resources: { phone: -1 },
    to: `${JULIET}/phone`,
    fates: every(['phone']),
  },
  {
    name: 'one resource, bare (RFC 6121 §8.5.2.1.1)',
    resources: { phone: 0 },
    to: JULIET,
    fates: {
      normal: ['phone'],
      chat: ['phone'],
      groupchat: 'error',
      headline: ['phone'],
      error: 'silence',
    },
  },
  {
    name: 'one resource, full with a match (RFC 6121 §8.5.3.1)',
    resources: { phone: 0 },
    to: `${JULIET}/phone`,
    fates: every(['phone']),
  },
  {
    name: 'one resource, full without a match (RFC 6121 §8.5.3.2.1)',
    resources: { phone: 0 },
    to: `${JULIET}/gone`,
    fates: {
      normal: 'error',
      chat: ['phone'],
      groupchat: 'error',
      headline: 'silence',
      error: 'silence',
    },
  },
  {
    name: 'several resources, bare: all that are not negative (RFC 6121 §8.5.2.1.1)',
    resources: { phone: 0, laptop: 5, robot: -3, spare: undefined },
    to: JULIET,
    fates: {
      normal: ['laptop', 'phone'],
      chat: ['laptop', 'phone'],
      groupchat: 'error',
      headline: ['laptop', 'phone'],
      error: 'silence',
    },
  },
  {
    name: 'several resources, full without a match (RFC 6121 §8.5.3.2.1)',
    resources: { phone: 0, laptop: 5, robot: -3 },
    to: `${JULIET}/gone`,
    fates: {
      normal: 'error',
      chat: ['laptop', 'phone'],
      groupchat: 'error',
      headline: 'silence',
      error: 'silence',
    },
  },
]

for (const cell of cells) {
  scenario(cell.name, async (t, ground) => {
    const w = await world(t, {
      ...all,
      ...(await ground()),
      people: ['romeo', 'juliet'],
      loggedIn: false,
    })
    const romeo = await w.device('romeo', 'orchard')
    const devices = new Map<string, Awaited<ReturnType<typeof w.device>>>()
    for (const [resource, priority] of Object.entries(cell.resources)) {
      const device = await w.device('juliet', resource)
      if (priority !== undefined) await device.comesOnline(`<priority>${priority}</priority>`)
      devices.set(resource, device)
    }
    for (const type of types) {
      for (const device of devices.values()) await device.clears()
      romeo.sends(
        `<message to='${cell.to}' type='${type}' id='${type}'><body>hist!</body></message>`,
      )
      await w.settle()
      const got = [...devices].filter(([, device]) => device.inbox.length > 0).map(([name]) => name)
      const answer = romeo.inbox.splice(0)
      const fate = cell.fates[type]
      t.same(got.sort(), Array.isArray(fate) ? fate : [], `${type}: who got it`)
      t.same(
        answer.map((element) => [
          element.attrs.type,
          element.attrs.id,
          element.getChild('error')?.children[0]?.toString(),
        ]),
        fate === 'error'
          ? [['error', type, '<service-unavailable xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/>']]
          : [],
        `${type}: what Romeo hears`,
      )
    }
  })
}

scenario(
  'what is delivered is what was sent, with the true sender (RFC 6120 §8.1.2.1)',
  async (t, ground) => {
    const { romeo, juliet } = await world(t, { ...all, ...(await ground()) })
    romeo.sends(
      `<message to='${juliet.jid}' type='chat' id='1' xml:lang='it' from='romeo@${DOMAIN}'><body>Amore &amp; morte — 🌹</body><x xmlns='urn:example:x'><y a="'"/></x></message>`,
    )
    const message = await juliet.receives(
      "<message type='chat' id='1' xml:lang='it'><body>Amore &amp; morte — 🌹</body><x xmlns='urn:example:x'><y a=\"'\"/></x></message>",
    )
    t.equal(message.attrs.from, romeo.jid)
    t.equal(message.attrs.to, juliet.jid)
  },
)

scenario(
  'a stanza in another name ends the stream (RFC 6120 §8.1.2.1, §4.9.3.9)',
  async (t, ground) => {
    const { romeo, juliet } = await world(t, { ...all, ...(await ground()) })
    romeo.sends(`<message to='${juliet.jid}' from='${juliet.jid}'><body>not I</body></message>`)
    await juliet.receivesNothing()
    t.ok(romeo.streamError?.getChild('invalid-from'))
    t.ok(romeo.closed)
  },
)

scenario(
  'an address that is none is answered with jid-malformed (RFC 6120 §8.3.3.8)',
  async (t, ground) => {
    const { romeo } = await world(t, { ...all, ...(await ground()) })
    romeo.sends("<message to='a@b@c' id='1'><body>?</body></message>")
    await romeo.receives(
      "<message type='error' id='1'><error type='modify'><jid-malformed/></error></message>",
    )
  },
)

scenario(
  'another server is not to be found yet, and the sender is told (RFC 6120 §8.3.3.16)',
  async (t, ground) => {
    const { romeo } = await world(t, { ...all, ...(await ground()) })
    romeo.sends("<message to='benvolio@montague.example' id='1'><body>coz</body></message>")
    await romeo.receives(
      "<message type='error' id='1' from='benvolio@montague.example'><error type='cancel'><remote-server-not-found/></error></message>",
    )
  },
)

scenario(
  'stanzas of one stream are delivered in their order (RFC 6120 §10.1)',
  async (t, ground) => {
    const { romeo, juliet } = await world(t, { ...all, ...(await ground()) })
    await juliet.comesOnline()
    const count = 200
    let text = ''
    for (let i = 0; i < count; i++)
      text += `<message to='juliet@${DOMAIN}' id='${i}' type='chat'><body>${i}</body></message>`
    romeo.sends(text)
    await juliet.settle()
    const ids = juliet.inbox
      .filter((element) => element.is('message'))
      .map((element) => Number(element.attrs.id))
    t.same(
      ids,
      Array.from({ length: count }, (_, i) => i),
    )
  },
)

scenario(
  'a message to oneself goes to all own resources (RFC 6121 §8.5.2.1.1)',
  async (t, ground) => {
    const w = await world(t, { ...all, ...(await ground()) })
    const laptop = await w.device('romeo', 'laptop')
    await w.romeo.comesOnline()
    await laptop.comesOnline()
    await w.romeo.clears()
    await laptop.clears()
    w.romeo.sends("<message type='chat' id='note'><body>remember</body></message>")
    await w.romeo.receives("<message id='note'><body>remember</body></message>")
    await laptop.receives("<message id='note'><body>remember</body></message>")
  },
)

scenario(
  'a message over WebSocket names its namespace and is the same (RFC 7395 §3.3.3)',
  async (t, ground) => {
    const w = await world(t, { ...all, ...(await ground()) })
    const page = await w.device('juliet', 'page', { framing: 'message' })
    w.romeo.sends(`<message to='${page.jid}' type='chat' id='1'><body>hello</body></message>`)
    await page.receives("<message type='chat' id='1'><body>hello</body></message>")
    t.match(page.transcript.at(-1), /^<message xmlns='jabber:client'/)
    page.sends(`<message to='${w.romeo.jid}' id='2'><body>hello</body></message>`)
    await w.romeo.receives("<message id='2'><body>hello</body></message>")
    t.notMatch(w.romeo.transcript.at(-1), /xmlns='jabber:client'/)
  },
)
