// A bookmark in its two forms: the one that is kept (XEP-0402), and its place in the list of older clients
// (XEP-0048). What an older client does not know of a bookmark is not lost when it writes its list.

import { cutOut } from '../../lib/xmpp/cut-out.js'
import { Element, elements, fromWire, serialize, toWire, xml } from '../../lib/xmpp/element.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { parseTree } from '../../lib/xmpp/tree.js'

export const NS_BOOKMARKS = 'urn:xmpp:bookmarks:1'
export const NS_STORAGE = 'storage:bookmarks'

/** All that an account has */
export interface Bookmarks {
  /** `<conference/>` of XEP-0402 as text, by address */
  readonly rooms: ReadonlyMap<string, string>
  /** What else is in the list of older clients: addresses of web pages */
  readonly rest: string
}

export const NO_BOOKMARKS: Bookmarks = { rooms: new Map(), rest: '' }

export function textOf(element: Element): string {
  return fromWire(serialize(element))
}

export function elementOf(text: string): Element {
  return parseTree(toWire(text))
}

/** XEP-0402 §5.3.1: the whole list as older clients have it */
export function asList({ rooms, rest }: Bookmarks): Element {
  const others = rest === '' ? [] : elements(elementOf(rest))
  return xml(
    'storage',
    NS_STORAGE,
    ...[...rooms].map(([jid, text]) => inList(jid, elementOf(text))),
    ...others.map(cutOut),
  )
}

function inList(jid: string, conference: Element): Element {
  const { name, autojoin } = conference.attrs
  const parts = elements(conference).filter((part) => part.getNS() === NS_BOOKMARKS)
  return xml('conference', { jid, name, autojoin }, ...parts.map(inOlderNamespace))
}

function inOlderNamespace(part: Element): Element {
  const inside = part.children.map((child) => (child instanceof Element ? cutOut(child) : child))
  return xml(part.getName(), {}, ...(inside as Element[]))
}

/** The list of an older client takes the place of all; what it leaves unsaid of a room stays. */
export function fromList(storage: Element, { rooms: before }: Bookmarks): Bookmarks {
  const rooms = new Map<string, string>()
  const others: Element[] = []
  for (const child of elements(storage)) {
    const jid = child.is('conference', NS_STORAGE) ? addressOf(child.attrs.jid) : undefined
    if (jid === undefined) others.push(cutOut(child))
    else rooms.set(jid, fromListed(child, before.get(jid)))
  }
  return { rooms, rest: others.length === 0 ? '' : textOf(xml('storage', NS_STORAGE, ...others)) }
}

/** Bare; undefined for what is no address of a room */
export function addressOf(text: unknown): string | undefined {
  const jid = typeof text === 'string' ? Jid.tryParse(text.trim()) : undefined
  return jid && jid.resource === '' ? jid.text : undefined
}

/** The text that is there already where it means the same: nobody is told of that. */
function fromListed(listed: Element, before: string | undefined): string {
  const known = before === undefined ? undefined : elementOf(before)
  const { name, autojoin } = listed.attrs
  const given = listed.getChild('extensions', NS_STORAGE)
  const kept = given ?? known?.getChild('extensions', NS_BOOKMARKS)
  const foreign = elements(listed).filter((part) => part.getNS() !== NS_STORAGE)
  const extensions = [...(kept ? elements(kept) : []), ...foreign].map(cutOut)
  const made = xml(
    'conference',
    { xmlns: NS_BOOKMARKS, name, autojoin: isTrue(autojoin) ? 'true' : undefined },
    part(listed, 'nick'),
    part(listed, 'password'),
    extensions.length > 0 ? xml('extensions', {}, ...extensions) : undefined,
  )
  return known && meaning(known) === meaning(made) ? before! : textOf(made)
}

function part(listed: Element, name: string): Element | undefined {
  const text = listed.getChildText(name, NS_STORAGE)
  return text ? xml(name, {}, text) : undefined
}

function isTrue(text: unknown): boolean {
  return text === 'true' || text === '1'
}

function meaning(conference: Element): string {
  const { name, autojoin } = conference.attrs
  const text = (part: string) => conference.getChildText(part, NS_BOOKMARKS) ?? ''
  const extensions = conference.getChild('extensions', NS_BOOKMARKS)
  const more = extensions ? elements(extensions).map((one) => textOf(cutOut(one))) : []
  return JSON.stringify([name ?? '', isTrue(autojoin), text('nick'), text('password'), more])
}
