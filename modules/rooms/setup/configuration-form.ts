// The form in which an owner says what a room is to be (XEP-0045 §10.2): settings as fields, and back. What is
// not named in a form stays as it is.

import { type Element, xml } from '../../../lib/xmpp/element.js'
import { StanzaError } from '../../../lib/xmpp/errors.js'
import { type Field, form, NS_FORMS } from '../../../lib/xmpp/forms.js'
import { NS_MUC } from '../presences.js'
import type { Room } from '../room.js'
import type { RoomLimits } from '../venue.js'
import { type SettingField, settingFields, settingNames } from './setting-fields.js'
import type { Settings } from '../settings.js'

export const ROOM_CONFIG = `${NS_MUC}#roomconfig`

const NS_VALIDATE = 'http://jabber.org/protocol/xdata-validate'

export function configurationForm({ settings, jid }: Room): Element {
  const made = form({
    type: 'form',
    of: ROOM_CONFIG,
    title: `Configuration of ${jid.text}`,
    fields: settingFields.map((field) => asField(field, settings)),
  })
  // XEP-0500 §5.1
  made
    .getChildrenByAttr('var', 'muc#roomconfig_slow_mode_duration', NS_FORMS)[0]
    ?.cnode(xml('validate', { xmlns: NS_VALIDATE, datatype: 'xs:integer' }, xml('range', RANGE)))
  return made
}

const RANGE = { min: '0', max: '86400' }

function asField(field: SettingField, settings: Settings): Field {
  const { field: name, type, label, options } = field
  const value = valueFor(field, settings)
  const known = options && withValue(options, value)
  return { name, type, label, value, ...(known && { options: known }) }
}

/** A number that the operator chose is one of the choices, too. */
function withValue(
  options: readonly { value: string; label: string }[],
  value: string | readonly string[],
): readonly { value: string; label: string }[] {
  if (typeof value !== 'string' || options.some((option) => option.value === value)) return options
  return [...options, { value, label: value }]
}

function valueFor({ setting, type }: SettingField, settings: Settings): string | readonly string[] {
  if (setting === 'hidden') return settings.hidden ? '0' : '1'
  if (setting === 'password')
    return type === 'boolean' ? flag(settings.password !== '') : settings.password
  if (setting === 'whoSeesMembers') return seers[settings.whoSeesMembers]
  const value = settings[setting]
  if (typeof value === 'boolean') return flag(value)
  return typeof value === 'object' ? value : String(value)
}

function flag(value: boolean): string {
  return value ? '1' : '0'
}

export type ShownSettings = Readonly<Record<string, string | boolean | readonly string[]>>

/** For administrators: whether there is a password, not which */
export function shownSettings(settings: Settings): ShownSettings {
  const shown: Record<string, ShownSettings[string]> = {}
  for (const [name, field] of settingNames) {
    const value = valueFor(field, settings)
    shown[name] = field.type === 'boolean' ? value === '1' : value
  }
  return { ...shown, password: settings.password === '' ? '' : '(set)' }
}

const seers: Readonly<Record<Settings['whoSeesMembers'], readonly string[]>> = {
  moderators: ['moderator'],
  participants: ['moderator', 'participant'],
  anyone: ['moderator', 'participant', 'visitor'],
}

/** Throws StanzaError for what may not be. */
export function readConfiguration(
  values: ReadonlyMap<string, readonly string[]>,
  settings: Settings,
  limits: RoomLimits,
): Settings {
  let next: Settings = settings
  for (const field of settingFields) {
    const given = values.get(field.field)
    if (given === undefined || field.setting === 'password') continue
    next = { ...next, [field.setting]: read(field, given) }
  }
  next = { ...next, password: readPassword(values, settings) }
  return bounded(next, limits)
}

/** Two fields say one thing: without the first the password alone decides. */
function readPassword(
  values: ReadonlyMap<string, readonly string[]>,
  { password }: Settings,
): string {
  const wanted = values.get('muc#roomconfig_passwordprotectedroom')?.[0]
  const secret = values.get('muc#roomconfig_roomsecret')?.[0]
  if (wanted !== undefined && !isTrue(wanted)) return ''
  if (secret === undefined) return password
  if (secret === '' && wanted !== undefined)
    throw new StanzaError('not-acceptable', 'a room that is protected by a password needs one')
  if (secret.length > 200) throw new StanzaError('not-acceptable', 'the password is too long')
  return secret
}

function read(field: SettingField, given: readonly string[]): Settings[keyof Settings] {
  const { setting, type, options, most } = field
  const [first = ''] = given
  if (setting === 'hidden') return !isTrue(first)
  if (type === 'boolean') return isTrue(first)
  if (setting === 'shown')
    return options!.map(({ value }) => value).filter((value) => given.includes(value)) as never
  if (setting === 'whoSeesMembers')
    return given.includes('visitor')
      ? 'anyone'
      : given.includes('participant')
        ? 'participants'
        : 'moderators'
  if (isNumber(setting)) return number(first, field)
  if (options && !options.some(({ value }) => value === first)) throw unacceptable(field)
  if (most !== undefined && first.length > most) throw unacceptable(field)
  return first
}

function isNumber(setting: keyof Settings): boolean {
  return setting === 'mostOccupants' || setting === 'history' || setting === 'slowMode'
}

function number(text: string, field: SettingField): number {
  // "none": as many as the service allows (§10.2).
  if (text === '' || text === 'none') return field.setting === 'mostOccupants' ? 1e9 : 0
  if (!/^\d{1,9}$/.test(text)) throw unacceptable(field)
  return Number(text)
}

function isTrue(text: string): boolean {
  return text === '1' || text === 'true'
}

function unacceptable({ label }: SettingField): StanzaError {
  return new StanzaError('not-acceptable', `this cannot be: ${label}`)
}

function bounded(settings: Settings, limits: RoomLimits): Settings {
  return {
    ...settings,
    mostOccupants: Math.max(1, Math.min(settings.mostOccupants, limits.mostOccupants)),
    history: Math.min(settings.history, limits.mostHistory),
    slowMode: Math.min(settings.slowMode, 86_400),
  }
}
