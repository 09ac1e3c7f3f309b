// Nodes that an account has for itself alone (XEP-0223): items are published, fetched and taken back by the
// account's own clients, and those that asked for a node in their capabilities are told (XEP-0163 §4.2). What is
// in a node is the business of the module that serves it; for all other nodes there is nobody here.

import { defineModule, type Account, type IqRequest } from '../../lib/core/module.js'
import type { Later } from '../../lib/core/later.js'
import type { Session } from '../../lib/core/session.js'
import type { JournalEntry } from '../../lib/storage/journal.js'
import { cutOut } from '../../lib/xmpp/cut-out.js'
import { type Element, elements, serialize, type Wire, xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'
import caps from '../caps/caps.js'
import { checkOptions, NS_PUBSUB, refusal } from './publish-options.js'

const NS_EVENT = `${NS_PUBSUB}#event`
const TOLD = 'personal nodes'

export interface NodeItem {
  readonly id: string
  readonly payload: Element
}

/** What an account asks of a node that may change it */
export interface NodeRequest {
  readonly account: Account
  /** On disk before the answer leaves */
  readonly entry: JournalEntry
  /** When it is */
  after(effect: () => void): void
}

export interface PersonalNode {
  readonly name: string
  /** Its last item is for whoever comes online and wants to hear of it (XEP-0163 §4.3.4). */
  readonly greets?: boolean
  items(account: Account): Later<readonly NodeItem[]>
  /** Gives the id of the item; throws StanzaError for what must not be there. */
  publish(request: NodeRequest, item: { id: string; payload: Element }): Later<string>
  /** Throws StanzaError where there is no such item. */
  retract(request: NodeRequest, id: string): Later<void>
}

export interface NodeChange {
  readonly node: string
  readonly items?: readonly NodeItem[]
  readonly retracted?: readonly string[]
}

export interface PersonalNodes {
  serve(node: PersonalNode): void
  /** Tells the account's clients that want to hear of this node; for `after`. */
  notify(account: Jid, change: NodeChange): void
}

/** JSON of what one node of the cluster tells the others */
interface Told {
  readonly account: string
  readonly node: string
  readonly event: Wire
}

export default defineModule<PersonalNodes>({
  name: 'personal-nodes',
  summary: 'Lets the clients of an account share what other modules keep for it',
  xeps: { 'XEP-0223': '1.1.1' },
  requires: [caps],

  setup(host) {
    const { featuresOf } = host.use(caps)
    const nodes = new Map<string, PersonalNode>()
    const offer = { xmlns: NS_PUBSUB, to: 'account', allow: 'self' } as const
    return {
      // What is promised of the nodes that there are (XEP-0402 §8). For pubsub/pep others would have to be here.
      disco: { account: [`${NS_PUBSUB}#publish-options`, `${NS_PUBSUB}#config-node-max`] },
      iq: [
        { ...offer, get: 'pubsub', reads: true, answer: get },
        { ...offer, set: 'pubsub', answer: set },
      ],
      answers: { [TOLD]: (told) => tellHere(told as Told) },
      on: { 'caps:learned': ({ session, features }) => greet(session, features) },
      provides: {
        serve: (node) => void nodes.set(node.name, node),
        notify,
      },
    }

    function nodeOf(action: Element): PersonalNode {
      const node = nodes.get(String(action.attrs.node ?? ''))
      if (!node) throw new StanzaError('service-unavailable', 'there is no such node here')
      return node
    }

    async function accountOf({ to }: IqRequest): Promise<Account> {
      const account = await host.accounts?.lookup(to.local)
      if (!account) throw new StanzaError('item-not-found')
      return account
    }

    /** XEP-0060 §6.5 */
    async function get(request: IqRequest): Promise<Element> {
      const wanted = elements(request.element)[0]
      if (!wanted?.is('items')) throw refusal('feature-not-implemented', 'unsupported')
      const node = nodeOf(wanted)
      const all = await node.items(await accountOf(request))
      const ids = wanted.getChildren('item').map(({ attrs }) => attrs.id)
      const some = ids.length === 0 ? newest(all, wanted) : all.filter(({ id }) => ids.includes(id))
      return xml('pubsub', NS_PUBSUB, xml('items', { node: node.name }, ...some.map(itemElement)))
    }

    async function set(request: IqRequest): Promise<Element | undefined> {
      const action = elements(request.element)[0]
      if (action?.is('publish')) return publish(request, action)
      if (action?.is('retract')) return retract(request, action)
      throw refusal('feature-not-implemented', 'unsupported')
    }

    /** XEP-0060 §7.1 */
    async function publish(request: IqRequest, action: Element): Promise<Element> {
      const node = nodeOf(action)
      checkOptions(request.element)
      const item = only(action)
      const payload = elements(item)[0]
      if (!payload || elements(item).length > 1) throw refusal('bad-request', 'invalid-payload')
      const { entry } = request
      const given = { id: String(item.attrs.id ?? ''), payload: cutOut(payload) }
      const account = await accountOf(request)
      const id = await node.publish(
        { account, entry, after: (effect) => request.after(effect) },
        given,
      )
      const published = xml('publish', { node: node.name }, xml('item', { id }))
      return xml('pubsub', NS_PUBSUB, published)
    }

    /** XEP-0060 §7.2. Those who asked hear of it in any case. */
    async function retract(request: IqRequest, action: Element): Promise<undefined> {
      const node = nodeOf(action)
      const { id } = only(action).attrs
      if (!id) throw refusal('bad-request', 'item-required')
      const { entry } = request
      const account = await accountOf(request)
      await node.retract({ account, entry, after: (effect) => request.after(effect) }, String(id))
    }

    /** XEP-0163 §4.3.4 */
    async function greet(session: Session, features: ReadonlySet<string>): Promise<void> {
      const { account: jid, number } = session
      for (const { name, greets, items } of nodes.values()) {
        if (!greets || !features.has(`${name}+notify`)) continue
        const last = (await items({ jid, number, disabled: false })).at(-1)
        if (last) write(session, jid, eventOf({ node: name, items: [last] }))
      }
    }

    function notify(account: Jid, change: NodeChange): void {
      const told: Told = { account: account.text, node: change.node, event: eventOf(change) }
      tellHere(told)
      host.tellOthers(TOLD, told)
    }

    /** XEP-0163 §4.2: who did not ask is not told. */
    function tellHere({ account, node, event }: Told): void {
      const from = Jid.parse(account)
      const asked = host.sessions
        .of(from)
        .filter((session) => session.available && featuresOf(session)?.has(`${node}+notify`))
      for (const session of asked) write(session, from, event)
    }

    function write(session: Session, from: Jid, event: Wire): void {
      const id = host.random.id()
      const stanza = Stanza.parse(`<message type='headline' id='${id}'>${event}</message>`)
      const addresses = { from, to: session.jid, arrived: host.clock.now() }
      session.write(new Envelope({ stanza, ...addresses, origin: 'local' }))
    }
  },
})

/** Neither request takes more than one item here. */
function only(action: Element): Element {
  const [item, ...more] = action.getChildren('item')
  if (!item) throw refusal('bad-request', 'item-required')
  if (more.length > 0) throw refusal('not-allowed', 'max-items-exceeded')
  return item
}

/** XEP-0060 §6.5.7 */
function newest(all: readonly NodeItem[], { attrs }: Element): readonly NodeItem[] {
  const most = /^\d{1,9}$/.test(attrs.max_items ?? '') ? Number(attrs.max_items) : undefined
  return most === undefined || most === 0 ? all : all.slice(-most)
}

function eventOf({ node, items = [], retracted = [] }: NodeChange): Wire {
  const changed = items.map(itemElement)
  const gone = retracted.map((id) => xml('retract', { id }))
  return serialize(xml('event', NS_EVENT, xml('items', { node }, ...changed, ...gone)))
}

function itemElement({ id, payload }: NodeItem): Element {
  return xml('item', { id }, payload)
}
