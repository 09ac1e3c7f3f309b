// Service Discovery: tells what every module offers, of the host and of accounts. An account's own
// features are told to itself and to whoever sees its presence; to everybody else it is not there
// (XEP-0030 §8).

import { type Element, xml } from '../lib/xmpp/element.js'
import { StanzaError } from '../lib/xmpp/errors.js'
import {
  defineModule,
  type DiscoItem,
  type DiscoOffer,
  type DiscoQuestion,
  type Identity,
  type IqRequest,
} from '../lib/core/module.js'

const NS_INFO = 'http://jabber.org/protocol/disco#info'
const NS_ITEMS = 'http://jabber.org/protocol/disco#items'

export interface DiscoApi {
  /** What the host says of itself: identities, features, forms; in a fixed order. */
  host(): Element[]
}

export default defineModule<DiscoApi>({
  name: 'disco',
  summary: 'Tells clients and servers what can be done here',
  xeps: { 'XEP-0030': '2.5.0', 'XEP-0128': '1.0.1' },

  setup(host) {
    const offers = (): DiscoOffer[] => [...host.offered('disco')].map(({ offer }) => offer)
    const reads = true
    return {
      disco: {
        server: [NS_INFO, NS_ITEMS],
        account: [NS_INFO, NS_ITEMS],
        identities: [{ category: 'server', type: 'im', name: 'Tercet' }],
        accountIdentities: [{ category: 'account', type: 'registered' }],
      },
      iq: [
        { get: 'query', xmlns: NS_INFO, to: 'host', allow: 'anyone', reads, answer: info },
        { get: 'query', xmlns: NS_INFO, to: 'account', allow: 'subscriber', reads, answer: info },
        { get: 'query', xmlns: NS_ITEMS, to: 'host', allow: 'anyone', reads, answer: items },
        { get: 'query', xmlns: NS_ITEMS, to: 'account', allow: 'subscriber', reads, answer: items },
      ],
      provides: { host: hostInfo },
    }

    async function info(request: IqRequest): Promise<Element> {
      const { node } = request.element.attrs
      if (node)
        return xml('query', { xmlns: NS_INFO, node }, ...(await nodeInfo(question(request, node))))
      return xml('query', NS_INFO, ...(request.to.isDomain ? hostInfo() : accountInfo()))
    }

    function hostInfo(): Element[] {
      const all = offers()
      return [
        ...identities(all.flatMap((offer) => offer.identities ?? [])),
        ...features(all.flatMap((offer) => offer.server ?? [])),
        ...all.flatMap((offer) => offer.forms?.() ?? []),
      ]
    }

    function accountInfo(): Element[] {
      const all = offers()
      return [
        ...identities(all.flatMap((offer) => offer.accountIdentities ?? [])),
        ...features(all.flatMap((offer) => offer.account ?? [])),
      ]
    }

    async function nodeInfo(asked: DiscoQuestion): Promise<readonly Element[]> {
      for (const offer of offers()) {
        const found = await offer.nodeInfo?.(asked)
        if (found) return found
      }
      throw new StanzaError('item-not-found')
    }

    async function items(request: IqRequest): Promise<Element> {
      const { node } = request.element.attrs
      const found = node ? await nodeItems(question(request, node)) : await ownItems(request)
      const attributes = node ? { xmlns: NS_ITEMS, node } : { xmlns: NS_ITEMS }
      return xml('query', attributes, ...found.map((item) => xml('item', { ...item })))
    }

    async function ownItems(request: IqRequest): Promise<readonly DiscoItem[]> {
      if (!request.to.isDomain) return []
      const all = await Promise.all(offers().map((offer) => offer.items?.(request.from) ?? []))
      return all.flat()
    }

    async function nodeItems(asked: DiscoQuestion): Promise<readonly DiscoItem[]> {
      for (const offer of offers()) {
        const found = await offer.nodeItems?.(asked)
        if (found) return found
      }
      throw new StanzaError('item-not-found')
    }
  },
})

function question(request: IqRequest, node: string): DiscoQuestion {
  return { node, asker: request.from, to: request.to }
}

function identities(list: readonly Identity[]): Element[] {
  return list.map((identity) => xml('identity', { ...identity }))
}

/** Each once, sorted: the answer is the same whatever the order of loading. */
function features(list: readonly string[]): Element[] {
  return [...new Set(list)].sort().map((feature) => xml('feature', { var: feature }))
}
