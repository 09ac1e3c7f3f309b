// What becomes of each kind of message, whoever is there and whatever keeps it: content, receipts
// (XEP-0184), chat states (XEP-0085), markers (XEP-0333) and the hints of XEP-0334. It is delivered, or
// kept, or its sender is told; only what tells of other messages, or of nothing that lasts, ends without
// a word.

import type { Test } from 'tap'
import { KEPT } from '../../lib/storage/logged-message.js'
import { Jid } from '../../lib/xmpp/jid.js'
import type { Client } from '../world/client.js'
import { type Ground, scenario } from '../world/grounds.js'
import { DOMAIN, type World, world } from '../world/world.js'

const JULIET = `juliet@${DOMAIN}`
const STATES = 'http://jabber.org/protocol/chatstates'
const HINTS = 'urn:xmpp:hints'
const RECEIPT = "<received xmlns='urn:xmpp:receipts' id='a'/>"
const MARKER = "<displayed xmlns='urn:xmpp:chat-markers:0' id='a'/>"
const STATE = `<composing xmlns='${STATES}'/>`
const BODY = '<body>a</body>'

/** How long it may be kept: until it is delivered, for good, or not at all. */
type Keeping = 'good' | 'delivery' | 'never'

interface Payload {
  readonly what: string
  readonly xml: string
  readonly keep: Keeping
  /** Nobody is told when it reaches nobody. */
  readonly quiet?: boolean
}

const PAYLOADS: readonly Payload[] = [
  { what: 'a body', xml: BODY, keep: 'good' },
  { what: 'a body and a chat state', xml: `${BODY}${STATE}`, keep: 'good' },
  {
    what: 'a body, no-store (XEP-0334 §4.2)',
    xml: `${BODY}<no-store xmlns='${HINTS}'/>`,
    keep: 'never',
  },
  {
    what: 'a body, no-permanent-store (XEP-0334 §4.1)',
    xml: `${BODY}<no-permanent-store xmlns='${HINTS}'/>`,
    keep: 'delivery',
  },
  {
    what: 'something else, store (XEP-0334 §4.4)',
    xml: `<a xmlns='urn:example:a'/><store xmlns='${HINTS}'/>`,
    keep: 'good',
  },
  { what: 'something else', xml: "<a xmlns='urn:example:a'/>", keep: 'never' },
  { what: 'a chat state (XEP-0085 §5.8)', xml: STATE, keep: 'never', quiet: true },
  {
    what: 'a chat state with a thread and no-store',
    xml: `${STATE}<thread>t</thread><no-store xmlns='${HINTS}'/>`,
    keep: 'never',
    quiet: true,
  },
  { what: 'a receipt (XEP-0184 §5)', xml: RECEIPT, keep: 'good', quiet: true },
  {
    what: 'a receipt, no-store',
    xml: `${RECEIPT}<no-store xmlns='${HINTS}'/>`,
    keep: 'never',
    quiet: true,
  },
  { what: 'a marker (XEP-0333 §4)', xml: MARKER, keep: 'good', quiet: true },
  { what: 'a marker and a chat state', xml: `${MARKER}${STATE}`, keep: 'good', quiet: true },
]

const KEEPERS = {
  nothing: [],
  'offline messages': ['offline-messages'],
  'an archive': ['archive'],
  both: ['archive', 'offline-messages'],
} as const

type Keeper = keyof typeof KEEPERS

function isKept({ keep }: Payload, keeper: Keeper): boolean {
  if (keeper === 'nothing' || keep === 'never') return false
  return keep === 'good' || keeper !== 'an archive'
}

interface Scene extends World {
  readonly orchard: Client
  /** Of Juliet's devices those that are there */
  readonly there: readonly Client[]
}

const RECIPIENTS = { online: [0, 5], away: [-1, undefined], offline: [] } as const
type Recipient = keyof typeof RECIPIENTS

async function scene(
  t: Test,
  ground: () => Promise<Ground>,
  { keeper, recipient }: { keeper: Keeper; recipient: Recipient },
): Promise<Scene> {
  const modules = ['presence', ...KEEPERS[keeper]]
  const w = await world(t, { ...(await ground()), modules, loggedIn: false })
  const orchard = await w.device('romeo', 'orchard')
  const there: Client[] = []
  for (const [place, priority] of RECIPIENTS[recipient].entries()) {
    const device = await w.device('juliet', `device ${place}`)
    if (priority !== undefined) await device.comesOnline(`<priority>${priority}</priority>`)
    there.push(device)
  }
  for (const device of there) await device.clears()
  return Object.assign(w, { orchard, there })
}

async function send(
  client: Client,
  xml: string,
  { to = JULIET, type = 'chat' } = {},
): Promise<void> {
  client.sends(`<message to='${to}' type='${type}' id='m'>${xml}</message>`)
  await client.settle()
}

/** What the sender is told: the condition of an error, or nothing. */
async function told(client: Client): Promise<string | undefined> {
  await client.settle()
  const error = client.inbox.find(({ attrs }) => attrs.type === 'error')?.getChild('error')
  client.inbox = []
  return error?.getChildElements()[0]?.getName()
}

async function got(client: Client): Promise<number> {
  await client.settle()
  const messages = client.inbox.filter((element) => element.is('message')).length
  client.inbox = []
  return messages
}

async function archived(w: World): Promise<number> {
  const host = w.server.hosts.get(DOMAIN)!
  const owner = await host.numberOf(Jid.parse(JULIET))
  const page = await host.messages.page({ owner, flags: KEPT, limit: 100 })
  return page.messages.length
}

/** How much waits for a device that comes; it goes again. */
async function comesLater(w: Scene): Promise<number> {
  const device = await w.device('juliet', 'later')
  await device.comesOnline()
  const messages = await got(device)
  await device.leaves()
  for (const other of w.there) await other.clears()
  return messages
}

const CONVERSATION = ['chat', 'normal'].flatMap((type) =>
  PAYLOADS.map((payload) => ({ type, payload })),
)
const ERROR = 'service-unavailable'

for (const keeper of Object.keys(KEEPERS) as Keeper[]) {
  for (const recipient of Object.keys(RECIPIENTS) as Recipient[]) {
    scenario(
      `chat and normal messages: ${recipient}, kept by ${keeper} (RFC 6121 §8.5.2)`,
      async (t, ground) => {
        const w = await scene(t, ground, { keeper, recipient })
        const live = recipient === 'online'
        const hasArchive = KEEPERS[keeper].some((module) => module === 'archive')
        for (const { type, payload } of CONVERSATION) {
          const name = `${type}, ${payload.what}`
          const before = await archived(w)
          await send(w.orchard, payload.xml, { type })
          for (const device of w.there) t.equal(await got(device), live ? 1 : 0, `${name}: live`)
          const kept = isKept(payload, keeper)
          const silent = live || kept || payload.quiet === true
          t.equal(await told(w.orchard), silent ? undefined : ERROR, `${name}: told`)
          const more = hasArchive && payload.keep === 'good' ? 1 : 0
          t.equal((await archived(w)) - before, more, `${name}: kept`)
          const late = !live && kept && keeper !== 'an archive' ? 1 : 0
          t.equal(await comesLater(w), late, `${name}: late`)
        }
      },
    )
  }
}

for (const keeper of Object.keys(KEEPERS) as Keeper[]) {
  scenario(
    `other types are never kept for later, and a room's is refused (RFC 6121 §8.5.2, kept by ${keeper})`,
    async (t, ground) => {
      for (const recipient of ['online', 'offline'] as const) {
        const w = await scene(t, ground, { keeper, recipient })
        for (const xml of [BODY, STATE, RECEIPT, MARKER]) {
          await send(w.orchard, xml, { type: 'headline' })
          for (const device of w.there) t.equal(await got(device), 1, 'a headline')
          t.equal(await told(w.orchard), undefined)
          await send(w.orchard, xml, { type: 'error' })
          for (const device of w.there) t.equal(await got(device), 0, 'an error')
          t.equal(await told(w.orchard), undefined)
          await send(w.orchard, xml, { type: 'groupchat' })
          for (const device of w.there) t.equal(await got(device), 0)
          t.equal(await told(w.orchard), ERROR, 'groupchat')
          t.equal(await comesLater(w), 0)
        }
      }
    },
  )
}

scenario(
  'to a device that is gone: chat goes to the others, normal to nobody; a signal ends there (RFC 6121 §8.5.3.2.1)',
  async (t, ground) => {
    const w = await scene(t, ground, { keeper: 'nothing', recipient: 'online' })
    for (const { what, xml, quiet } of PAYLOADS) {
      await send(w.orchard, xml, { to: `${JULIET}/gone` })
      for (const device of w.there) t.equal(await got(device), 1, `chat, ${what}`)
      t.equal(await told(w.orchard), undefined)
      await send(w.orchard, xml, { to: `${JULIET}/gone`, type: 'normal' })
      for (const device of w.there) t.equal(await got(device), 0, `normal, ${what}`)
      t.equal(await told(w.orchard), quiet ? undefined : ERROR, `normal, ${what}`)
    }
  },
)

scenario(
  'somebody who is not there at all is answered for like one who is away (RFC 6121 §8.5.1, SEC-22)',
  async (t, ground) => {
    const w = await scene(t, ground, { keeper: 'nothing', recipient: 'offline' })
    for (const { xml } of PAYLOADS) {
      await send(w.orchard, xml)
      const away = await told(w.orchard)
      await send(w.orchard, xml, { to: `tybalt@${DOMAIN}` })
      t.equal(await told(w.orchard), away, xml)
    }
  },
)
