// What the owner of a room decides about it (XEP-0045 §10), and what it is where nobody said anything.

export interface Settings {
  readonly name: string
  readonly description: string
  readonly language: string
  /** Not found by who does not know it (§4.2) */
  readonly hidden: boolean
  readonly persistent: boolean
  readonly membersOnly: boolean
  readonly moderated: boolean
  /** '' for none */
  readonly password: string
  /** Who sees real addresses: everybody, or moderators alone (§4.2) */
  readonly whois: 'anyone' | 'moderators'
  readonly mostOccupants: number
  readonly archived: boolean
  /** Messages that a newcomer is shown */
  readonly history: number
  /** To a room of members alone; into others whoever is in them may (§9.5). */
  readonly anyoneMayInvite: boolean
  readonly anyoneMaySetSubject: boolean
  readonly membersMayRegister: boolean
  readonly mayRequestVoice: boolean
  readonly whoMayWhisper: 'anyone' | 'participants' | 'moderators' | 'none'
  /** Roles whose presence is shown to all */
  readonly shown: readonly ('moderator' | 'participant' | 'visitor')[]
  readonly visitorsMayChangeNick: boolean
  readonly visitorsMaySayStatus: boolean
  /** Who has registered a nick is called nothing else here (§7.10). */
  readonly nicksLocked: boolean
  readonly whoSeesMembers: 'moderators' | 'participants' | 'anyone'
  /** Seconds between messages of one participant (XEP-0500) */
  readonly slowMode: number
  /** To members who are not here (XEP-0452) */
  readonly forwardMentions: boolean
}

export interface Limits {
  /** No room has more occupants. */
  readonly mostOccupants: number
  readonly mostHistory: number
}

export function standardSettings(limits: Limits): Settings {
  return {
    name: '',
    description: '',
    language: '',
    hidden: false,
    persistent: false,
    membersOnly: false,
    moderated: false,
    password: '',
    whois: 'moderators',
    mostOccupants: limits.mostOccupants,
    archived: true,
    history: Math.min(20, limits.mostHistory),
    anyoneMayInvite: false,
    anyoneMaySetSubject: false,
    membersMayRegister: true,
    mayRequestVoice: true,
    whoMayWhisper: 'anyone',
    shown: ['moderator', 'participant', 'visitor'],
    visitorsMayChangeNick: true,
    visitorsMaySayStatus: true,
    nicksLocked: false,
    whoSeesMembers: 'participants',
    slowMode: 0,
    forwardMentions: false,
  }
}

/** What is on disk of an older version lacks settings that are new. */
export function readSettings(text: string, limits: Limits): Settings {
  return { ...standardSettings(limits), ...(JSON.parse(text) as Partial<Settings>) }
}

/** §4.2: whether real addresses are shown to everybody */
export function isOpen({ whois }: Settings): boolean {
  return whois === 'anyone'
}
