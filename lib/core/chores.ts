// What the server itself has to do again and again, whatever modules it has.

import { numberAt } from '../storage/logged-message.js'
import { Following } from './following.js'
import { Mourning } from './mourning.js'
import type { Server } from './server.js'

const RIDES = 2000
const TIDY = 3_600_000
/** How long a message may take from the log to a node, in milliseconds */
const ON_THE_WAY = 3000

const TAKEN = 'taken'

/** A device goes, and may come back on another node before its cursor is on disk. */
export function tellTaken({ taken, talk }: Server, account: number): void {
  const id = taken.ahead(account)
  if (id !== undefined) talk.tell(TAKEN, [account, id])
}

export function addChores(server: Server): void {
  const { schedule, journal, messages, members, taken, talk } = server
  schedule.elected = () => members.all().every(({ node }) => node >= members.self.node)
  taken.certain = certainty(server)
  talk.on(TAKEN, (said) => taken.learn(...(said as [account: number, id: number])))
  new Following(server)
  new Mourning(server)
  schedule.add('journal', {
    name: 'what rides along',
    every: RIDES,
    run() {
      taken.ride()
      journal.hurry()
    },
  })
  schedule.add('messages', {
    name: 'what the message log needs no more',
    every: TIDY,
    once: true,
    async run() {
      while (!server.stopping && (await messages.tidy()));
    },
  })
}

/** Before which number nothing comes any more from other nodes, also from those that have just gone */
function certainty({ whereabouts, members, clock }: Server): () => number | undefined {
  let several = Number.NEGATIVE_INFINITY
  return () => {
    if (!whereabouts) return undefined
    const now = clock.now()
    const late = members.silence + ON_THE_WAY
    if (members.size > 1) several = now
    return now - several > late ? undefined : numberAt(now - late)
  }
}
