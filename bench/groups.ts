// Which works share a start of the server, and which a folder: those with the same setting and the
// same accounts. Works about memory have a start of their own. A folder is kept over the rounds
// where nothing grows in it, or where filling it took long; an archive that grew in the round before
// would make this one different.
import type { Store } from './peers/peer.js'
import type { Work } from './work.js'

export type Group = {
  works: Work[]
  /** The folder's name after the server's. */
  name: string
  archive: boolean
  store: Store
  accounts: number
  filled: number
  nodes: number
  workers: number
  contacts: number
  rooms: boolean
  lasting: boolean
  /** Filled beforehand, and nobody looks for words in it: to index those takes longer than the rest. */
  unsearched: boolean
  /** The server can be asked to collect its garbage. */
  told: boolean
}

function accountsOf({ accounts = 0, plan }: Work): number {
  return Math.max(accounts, plan.users + (plan.kind === 'storm' ? plan.others : 0))
}

function nameOf(work: Work): string {
  if (!work.archive) return work.rooms ? 'plain-rooms' : 'plain'
  const parts = [
    'archive',
    work.store ?? 'own',
    work.accounts,
    work.filled && `${work.filled}-kept`,
    work.nodes && `${work.nodes}-nodes`,
    work.workers && `${work.workers}-workers`,
    work.rooms && 'rooms',
    work.contacts && `${work.contacts}-contacts`,
  ]
  return parts.filter((part) => part !== undefined).join('-')
}

export function groupsOf(works: readonly Work[]): Group[] {
  const names = [...new Set(works.map(nameOf))]
  return names.flatMap((name) => {
    const alike = works.filter((work) => nameOf(work) === name)
    const accounts = Math.max(...alike.map(accountsOf))
    const shared = alike.filter((work) => !work.fresh)
    const alone = alike.filter((work) => work.fresh).map((work) => [work])
    const parts = [shared, ...alone].filter((part) => part.length > 0)
    return parts.map((part): Group => groupOf(part, name, accounts))
  })
}

function groupOf(works: Work[], name: string, accounts: number): Group {
  const { archive, store = 'own', filled = 0 } = works[0]!
  const { nodes = 1, workers = 1, contacts = 0, rooms = false } = works[0]!
  const lasting = !archive || filled > 0
  const told = works.some((work) => work.plan.kind === 'readers')
  const unsearched = filled > 0 && !works.some(({ plan }) => plan.kind === 'search')
  const several = { nodes, workers, contacts, rooms }
  return { works, name, archive, store, accounts, filled, ...several, lasting, unsearched, told }
}
