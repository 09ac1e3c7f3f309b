// Asking for and setting what is kept: <prefs/> (XEP-0441 §2.1).

import type { Host } from '../../lib/core/host.js'
import type { IqRequest } from '../../lib/core/module.js'
import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { NS_ARCHIVE } from '../../lib/xmpp/message-children.js'
import {
  PREFERENCES,
  type Preferences,
  type PreferenceStore,
  type Standard,
  standards,
} from './preferences.js'

/** LIM-archive-preferences: addresses in both lists together */
const MOST_LISTED = 1000

export async function tellPreferences(
  host: Host,
  store: PreferenceStore,
  { to }: IqRequest,
): Promise<Element> {
  return prefs(await store.of(await host.numberOf(to)))
}

export async function setPreferences(
  host: Host,
  store: PreferenceStore,
  { element, to, entry, after }: IqRequest,
): Promise<Element> {
  const account = await host.numberOf(to)
  const set = read(element)
  store.write(entry, account, { ...set, now: host.clock.now() })
  after(() => {
    store.apply(account, set)
    host.changed(PREFERENCES, account)
  })
  return prefs(set)
}

function read(element: Element): Preferences {
  const standard = element.attrs.default as Standard
  if (!standards.includes(standard))
    throw new StanzaError('bad-request', `the default is one of ${standards.join(', ')}`)
  const never = addresses(element, 'never')
  // The answer says what applies: who is in both lists is not kept.
  const always = new Set([...addresses(element, 'always')].filter((one) => !never.has(one)))
  if (always.size + never.size > MOST_LISTED)
    throw new StanzaError('policy-violation', `at most ${MOST_LISTED} addresses can be listed`)
  return { standard, always, never }
}

function addresses(element: Element, name: string): Set<string> {
  const items = element.getChild(name, NS_ARCHIVE)?.getChildren('jid', NS_ARCHIVE) ?? []
  return new Set(items.map((item) => address(item.getText().trim())))
}

function address(text: string): string {
  const jid = Jid.tryParse(text)
  if (!jid) throw new StanzaError('jid-malformed')
  return jid.text
}

function prefs({ standard, always, never }: Preferences): Element {
  return xml(
    'prefs',
    { xmlns: NS_ARCHIVE, default: standard },
    xml('always', {}, ...[...always].map((jid) => xml('jid', {}, jid))),
    xml('never', {}, ...[...never].map((jid) => xml('jid', {}, jid))),
  )
}
