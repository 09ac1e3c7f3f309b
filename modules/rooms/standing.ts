// Who somebody is in a room: an affiliation, which lasts, and a role, which lasts as long as a visit
// (XEP-0045 §5). What each may do is asked here, by rank.

export const affiliations = ['outcast', 'none', 'member', 'admin', 'owner'] as const
export type Affiliation = (typeof affiliations)[number]

export const roles = ['none', 'visitor', 'participant', 'moderator'] as const
export type Role = (typeof roles)[number]

export function isAffiliation(text: string | undefined): text is Affiliation {
  return affiliations.includes(text as Affiliation)
}

export function isRole(text: string | undefined): text is Role {
  return roles.includes(text as Role)
}

/** Whether an affiliation is at least another one (§5.2). */
export function isAtLeast(affiliation: Affiliation, least: Affiliation): boolean {
  return affiliations.indexOf(affiliation) >= affiliations.indexOf(least)
}

/** The same for roles (§5.1). */
export function hasRole(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least)
}

/** §5.1.2: what somebody enters as. */
export function roleOf(affiliation: Affiliation, room: { moderated: boolean }): Role {
  if (affiliation === 'outcast') return 'none'
  if (isAtLeast(affiliation, 'admin')) return 'moderator'
  return affiliation === 'none' && room.moderated ? 'visitor' : 'participant'
}
