// The fields of the form in which an owner sets up a room (XEP-0045 §16.5.3, "muc#roomconfig"): for every setting
// its field and what it may be. Labels are for people.

import type { FieldType } from '../../../lib/xmpp/forms.js'
import type { Settings } from '../settings.js'

export type SettingName = keyof Settings

export interface SettingField {
  readonly setting: SettingName
  readonly field: string
  readonly type: FieldType
  readonly label: string
  readonly options?: readonly { value: string; label: string }[]
  /** Longest text */
  readonly most?: number
}

const whisperers = [
  { value: 'anyone', label: 'Anyone' },
  { value: 'participants', label: 'Participants' },
  { value: 'moderators', label: 'Moderators' },
  { value: 'none', label: 'Nobody' },
]

const occupants = [10, 20, 50, 100, 200, 500, 1000].map((most) => ({
  value: String(most),
  label: String(most),
}))

/** In the order of the form */
export const settingFields: readonly SettingField[] = [
  {
    setting: 'name',
    field: 'muc#roomconfig_roomname',
    type: 'text-single',
    label: 'Name of the room',
    most: 200,
  },
  {
    setting: 'description',
    field: 'muc#roomconfig_roomdesc',
    type: 'text-single',
    label: 'What it is about',
    most: 2000,
  },
  {
    setting: 'language',
    field: 'muc#roomconfig_lang',
    type: 'text-single',
    label: 'Language spoken here',
    most: 35,
  },
  {
    setting: 'persistent',
    field: 'muc#roomconfig_persistentroom',
    type: 'boolean',
    label: 'It stays when everybody has left',
  },
  {
    setting: 'hidden',
    field: 'muc#roomconfig_publicroom',
    type: 'boolean',
    label: 'It can be found by anybody',
  },
  {
    setting: 'membersOnly',
    field: 'muc#roomconfig_membersonly',
    type: 'boolean',
    label: 'Only members may enter',
  },
  {
    setting: 'password',
    field: 'muc#roomconfig_passwordprotectedroom',
    type: 'boolean',
    label: 'A password is needed to enter',
  },
  {
    setting: 'password',
    field: 'muc#roomconfig_roomsecret',
    type: 'text-private',
    label: 'The password',
    most: 200,
  },
  {
    setting: 'moderated',
    field: 'muc#roomconfig_moderatedroom',
    type: 'boolean',
    label: 'Only who was given a voice may speak',
  },
  {
    setting: 'whois',
    field: 'muc#roomconfig_whois',
    type: 'list-single',
    label: 'Who sees the addresses of those who are here',
    options: [
      { value: 'moderators', label: 'Moderators' },
      { value: 'anyone', label: 'Anyone' },
    ],
  },
  {
    setting: 'mostOccupants',
    field: 'muc#roomconfig_maxusers',
    type: 'list-single',
    label: 'How many may be here at a time',
    options: occupants,
  },
  {
    setting: 'anyoneMaySetSubject',
    field: 'muc#roomconfig_changesubject',
    type: 'boolean',
    label: 'Participants may change the subject',
  },
  {
    setting: 'anyoneMayInvite',
    field: 'muc#roomconfig_allowinvites',
    type: 'boolean',
    label: 'Members may invite others where only members may enter',
  },
  {
    setting: 'whoMayWhisper',
    field: 'muc#roomconfig_allowpm',
    type: 'list-single',
    label: 'Who may send private messages',
    options: whisperers,
  },
  {
    setting: 'mayRequestVoice',
    field: 'muc#roomconfig_allowvoicerequests',
    type: 'boolean',
    label: 'Visitors may ask for a voice',
  },
  {
    setting: 'membersMayRegister',
    field: 'muc#roomconfig_allowregister',
    type: 'boolean',
    label: 'Visitors may ask to become members',
  },
  {
    setting: 'shown',
    field: 'muc#roomconfig_presencebroadcast',
    type: 'list-multi',
    label: 'Whose presence is shown to all',
    options: ['moderator', 'participant', 'visitor'].map((value) => ({ value, label: value })),
  },
  {
    setting: 'whoSeesMembers',
    field: 'muc#roomconfig_getmemberlist',
    type: 'list-multi',
    label: 'Who may see the list of members',
    options: ['moderator', 'participant', 'visitor'].map((value) => ({ value, label: value })),
  },
  {
    setting: 'visitorsMayChangeNick',
    field: 'tercet#roomconfig_visitornick',
    type: 'boolean',
    label: 'Visitors may change their nick',
  },
  {
    setting: 'visitorsMaySayStatus',
    field: 'tercet#roomconfig_visitorstatus',
    type: 'boolean',
    label: 'Visitors may show a status text',
  },
  {
    setting: 'nicksLocked',
    field: 'tercet#roomconfig_registerednicks',
    type: 'boolean',
    label: 'Who has registered a nick is called nothing else',
  },
  {
    setting: 'archived',
    field: 'muc#roomconfig_enablearchiving',
    type: 'boolean',
    label: 'What is said here is kept',
  },
  {
    setting: 'history',
    field: 'muc#maxhistoryfetch',
    type: 'text-single',
    label: 'Messages that newcomers are shown',
  },
  {
    setting: 'slowMode',
    field: 'muc#roomconfig_slow_mode_duration',
    type: 'text-single',
    label: 'Seconds between two messages of one participant',
  },
  {
    setting: 'forwardMentions',
    field: 'muc#roomconfig_forwardmentions',
    type: 'boolean',
    label: 'Members who are mentioned and not here are sent the message',
  },
]

/** How settings are called where an administrator says them: members_only, public */
export const settingNames: ReadonlyMap<string, SettingField> = new Map(
  settingFields
    .filter(({ setting, type }) => setting !== 'password' || type !== 'boolean')
    .map((field) => [field.setting === 'hidden' ? 'public' : snake(field.setting), field]),
)

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
