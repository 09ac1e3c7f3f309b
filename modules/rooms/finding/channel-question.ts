// What somebody looks for among the rooms of a service (XEP-0433 §4.2, §6.1): the form that says what may be
// asked, and a filled-in one as a question.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { form, readForm } from '../../../lib/xmpp/forms.js'
import { type Channel, fold } from './channels.js'

const NS = 'urn:xmpp:channel-search:0'
export const NS_SEARCH = `${NS}:search`
export const NS_ANONYMITY = `${NS}:anonymity`
const PARAMETERS = `${NS}:search-params`
const BY_USERS = `{${NS}:order}nusers`
const BY_ADDRESS = `{${NS}:order}address`
const MUC = 'xep-0045'

/** LIM-search-terms: words that are looked for at once */
const MOST_TERMS = 10
const SHORTEST_TERM = 2
const WANTED = `one to ${MOST_TERMS} words of at least ${SHORTEST_TERM} characters are wanted`

export interface ChannelQuestion {
  readonly order: 'users' | 'address'
  matches(channel: Channel): boolean
}

export function questionForm(): Element {
  const on = { type: 'boolean', value: 'true' } as const
  return form({
    type: 'form',
    of: PARAMETERS,
    fields: [
      { name: 'q', type: 'text-single', label: 'Search for' },
      { name: 'all', type: 'boolean', label: 'All rooms, whatever is searched for' },
      { name: 'sinname', ...on, label: 'Search in names' },
      { name: 'sindescription', ...on, label: 'Search in descriptions' },
      { name: 'sinaddress', ...on, label: 'Search in addresses' },
      { name: 'min_users', type: 'text-single', label: 'With so many people or more', value: '0' },
      {
        ...{ name: 'types', type: 'list-multi', label: 'Kinds of rooms', value: [MUC] },
        options: [{ value: MUC, label: 'Rooms (XEP-0045)' }],
      },
      {
        ...{ name: 'key', type: 'list-single', label: 'Order', value: BY_USERS },
        options: [
          { value: BY_USERS, label: 'Most people first' },
          { value: BY_ADDRESS, label: 'By address' },
        ],
      },
    ],
  })
}

type Values = ReadonlyMap<string, readonly string[]>

/** Undefined where the form itself is wanted. */
export function readQuestion(search: Element): ChannelQuestion | undefined {
  const submitted = readForm(search, PARAMETERS)
  if (!submitted) return undefined
  const { values } = submitted
  const order = readOrder(values)
  const finds = readSearch(values)
  const least = readLeast(values)
  const types = values.get('types')
  const muc = types === undefined || types.includes(MUC)
  return { order, matches: (channel) => muc && channel.users >= least && finds(channel) }
}

/** §4.2.2.2 */
function readOrder(values: Values): ChannelQuestion['order'] {
  const key = values.get('key')?.[0] ?? BY_USERS
  if (key === BY_USERS) return 'users'
  if (key === BY_ADDRESS) return 'address'
  throw refusal('feature-not-implemented', 'invalid-sort-key', 'there is no such order', 'modify')
}

function readSearch(values: Values): (channel: Channel) => boolean {
  const q = values.get('q')?.[0]
  const all = isOn(values.get('all')?.[0] ?? 'false')
  const terms = q === undefined ? [] : readTerms(q)
  // A field that was left empty asks for nothing.
  if (all && q?.trim())
    throw refusal('bad-request', 'conflicting-fields', 'all rooms, or those that match?')
  if (all) return () => true
  const places = readPlaces(values)
  if (q === undefined || places.length === 0)
    throw refusal('bad-request', 'no-search-conditions', 'search for what?', 'cancel')
  if (terms.length === 0 || terms.length > MOST_TERMS)
    throw refusal('bad-request', 'invalid-search-terms', WANTED)
  return (channel) => {
    const texts = places.map((place) => place(channel))
    return terms.every((term) => texts.some((text) => text.includes(term)))
  }
}

/** Words, or several of them in quotation marks */
function readTerms(q: string): string[] {
  const found = [...q.matchAll(/"([^"]+)"|([^\s"]+)/g)].map(([, phrase, word]) => phrase ?? word!)
  return [...new Set(found.map((term) => fold(term).trim()))].filter(
    (term) => [...term].length >= SHORTEST_TERM,
  )
}

/** §6.1: the table and the example name one field differently. */
const PLACES: readonly [fields: readonly string[], place: (channel: Channel) => string][] = [
  [['sinname'], ({ folded }) => folded.name],
  [['sindescription'], ({ folded }) => folded.description],
  [['sinaddress', 'sinaddr'], ({ folded }) => folded.address],
]

function readPlaces(values: Values): ((channel: Channel) => string)[] {
  return PLACES.filter(([fields]) => {
    const given = fields.flatMap((field) => values.get(field)?.[0] ?? [])
    return isOn(given[0] ?? 'true')
  }).map(([, place]) => place)
}

function readLeast(values: Values): number {
  const text = values.get('min_users')?.[0]?.trim() || '0'
  if (!/^\d{1,9}$/.test(text)) throw new StanzaError('bad-request', 'how many people?')
  return Number(text)
}

function isOn(text: string): boolean {
  return text === '1' || text === 'true'
}

function refusal(
  condition: 'bad-request' | 'feature-not-implemented',
  name: string,
  text: string,
  type: 'modify' | 'cancel' = 'modify',
): StanzaError {
  return new StanzaError(condition, text, { type, application: { name, xmlns: `${NS}:error` } })
}

export function tooOften(): StanzaError {
  const application = {
    name: 'rate-limit',
    xmlns: `${NS}:error`,
    attributes: { 'retry-after': '1' },
  }
  return new StanzaError('resource-constraint', 'too many searches', { application })
}

/** §6.2 */
export function channelElement(channel: Channel): Element {
  const { jid, name, description, language, users, open, known } = channel
  const text = (tag: string, value: string) => (value === '' ? undefined : xml(tag, {}, value))
  return xml(
    'item',
    { address: jid.text },
    text('name', name),
    text('description', description),
    text('language', language),
    xml('nusers', {}, String(users)),
    xml('service-type', {}, MUC),
    open ? xml('is-open', {}, 'true') : undefined,
    xml('anonymity-mode', {}, known ? `{${NS_ANONYMITY}}none` : 'muc_semianonymous'),
  )
}
