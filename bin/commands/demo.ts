// tercet demo: a server for this machine alone, with two accounts who are contacts of each other and
// passwords that are made anew each time. Everything is in ./tercet-demo.

import { randomBytes } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { Account } from '../../lib/core/module.js'
import type { Host } from '../../lib/core/host.js'
import type { Server } from '../../lib/core/server.js'
import { version } from '../../lib/ops/version.js'
import type { RosterApi } from '../../modules/roster/roster.js'
import { addresses, sayReady } from '../greeting.js'
import { processLog } from '../log.js'
import { serve } from '../serving.js'
import type { Terminal } from '../terminal.js'
import type { Run } from '../verbs.js'

const FOLDER = 'tercet-demo'
const NAMES = ['romeo', 'juliet']

export const run: Run = async (parsed, terminal) => {
  const set = [`data=${FOLDER}`, 'domain=localhost', `listen.address=[${loopback().join(', ')}]`]
  return serve({
    // Never the configuration of a real server that happens to lie here: accounts would be made in it.
    source: { file: false, env: {}, cwd: process.cwd(), set: [...set, ...parsed.values('set')] },
    log: processLog(parsed),
    async tell({ server, settings }) {
      const host = [...server.hosts.values()][0]!
      const people = await populate(server, host)
      tell(terminal, { server, people, folder: settings.data })
    },
    ready: () => sayReady(terminal),
  })
}

/** IPv4 alone where IPv6 is off. */
function loopback(): string[] {
  const known = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address),
  )
  return known.includes('::1') ? ['127.0.0.1', "'::1'"] : ['127.0.0.1']
}

interface Person {
  readonly jid: string
  readonly password: string
}

async function populate(server: Server, host: Host): Promise<Person[]> {
  const people: Person[] = []
  const accounts: Account[] = []
  for (const name of NAMES) {
    const person = { jid: `${name}@${host.domain}`, password: randomBytes(9).toString('base64url') }
    const known = await host.accounts?.lookup(name)
    await server.run(host.domain, known ? 'user password' : 'user add', { ...person })
    people.push(person)
    accounts.push((await host.accounts!.lookup(name))!)
  }
  const rosters = host.modules.get('roster')?.offers.provides as RosterApi | undefined
  await rosters?.setMutual(accounts[0]!, accounts[1]!)
  return people
}

interface Told {
  server: Server
  people: readonly Person[]
  folder: string
}

function tell(terminal: Terminal, { server, people, folder }: Told): void {
  const say = (name: string, text: string) =>
    terminal.out(`  ${terminal.style('dim', name.padEnd(10))}  ${text}`)
  terminal.out(terminal.style('bold', `Tercet ${version}, a demonstration for this machine alone`))
  say('data', `${folder} (delete it to start over)`)
  for (const [name, text] of addresses(server)) say(name, text)
  for (const { jid, password } of people)
    say(
      jid.split('@')[0]!,
      `${terminal.style('bold', jid)}  password ${terminal.style('bold', password)}`,
    )
  terminal.out(`
Log in with any XMPP client on this machine: the address, its password, and 127.0.0.1 as the server
if the client asks for one. The certificate is self-signed, so the client asks once whether you trust
it. The two are contacts of each other. Ctrl-C ends the demonstration.
`)
}
