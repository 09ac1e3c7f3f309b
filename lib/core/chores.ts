// What the server itself has to do again and again, whatever modules it has.

import { Following } from './following.js'
import { Mourning } from './mourning.js'
import type { Server } from './server.js'

const RIDES = 2000
const TIDY = 3_600_000

export function addChores(server: Server): void {
  const { schedule, journal, messages, members } = server
  schedule.elected = () => members.all().every(({ node }) => node >= members.self.node)
  new Following(server)
  new Mourning(server)
  schedule.add('journal', {
    name: 'what rides along',
    every: RIDES,
    run: () => journal.hurry(),
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
