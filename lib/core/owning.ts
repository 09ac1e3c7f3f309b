// What the nodes of this server own, each alone: how owners are found is lib/cluster/owners.ts, what the
// database knows of them lib/storage/ownership.ts.

import { Owners } from '../cluster/owners.js'
import { Ownership } from '../storage/ownership.js'
import type { Server } from './server.js'

const TIDY = 86_400_000

export function openOwners(server: Server): Owners {
  const { database, journal, clock, members, talk, fencing, schedule } = server
  const deeds = new Ownership({ database, journal, clock, self: members.self })
  const owners = new Owners({
    ...{ members, talk, clock, deeds },
    takeOver: (member) => fencing.takeOver(member),
    isFenced: (life) => fencing.isFenced(life),
  })
  fencing.fenced.then(() => owners.drop())
  schedule.add('owners', {
    name: 'what nobody owns any more',
    every: TIDY,
    run: () => deeds.tidy(),
  })
  return owners
}
