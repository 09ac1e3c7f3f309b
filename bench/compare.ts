// `npm run bench`: the same work for each server in turn, round after round, so that what
// disturbs one disturbs all; then the table. Ends everything that it started, also on ^C.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Databases } from './databases.js'
import { machine, reservations } from './machine.js'
import { type Options, readOptions } from './options.js'
import { createCertificate } from './peers/certificate.js'
import { ejabberd } from './peers/ejabberd.js'
import type { Peer } from './peers/peer.js'
import { prosody } from './peers/prosody.js'
import { relay } from './peers/relay.js'
import { tercet } from './peers/tercet.js'
import { type Column, heading, type Run, remarks, table } from './report.js'
import { type Round, runRound } from './rounds.js'
import type { Work } from './work.js'
import { works } from './works.js'

const say = (text: string) => process.stdout.write(`${text}\n`)

function chosen(options: Options): { peer: Peer; column: Column }[] {
  return [relay, prosody, ejabberd, tercet].flatMap((peer) => {
    if (!options.only.some((name) => name === peer.name)) return []
    const version = peer.version()
    if (version === undefined) {
      say(`${peer.title} is not here (${peer.missing}); its column stays out.`)
      return []
    }
    return [{ peer, column: { name: peer.name, title: peer.title, version, readyMs: [] } }]
  })
}

/** Says which cells stay out because a package is missing. */
function sayWhatLacks(servers: readonly { peer: Peer }[], list: readonly Work[]): void {
  const stores = [...new Set(list.map((work) => work.store ?? 'own'))]
  for (const { peer } of servers) {
    for (const store of stores) {
      const lacking = peer.lacks?.(store)
      if (lacking) say(`${peer.title} lacks ${lacking}; its cells about ${store} stay out.`)
    }
  }
}

async function compare(options: Options, list: Work[], folder: string): Promise<void> {
  const servers = chosen(options)
  if (servers.length === 0) throw new Error('there is no server to measure')
  sayWhatLacks(servers, list)
  const certificate = createCertificate(folder)
  const databases = new Databases(folder)
  const runs: Run[] = []
  for (let round = 1; round <= options.rounds; round++) {
    for (const { peer, column } of servers) {
      const task: Round = { peer, column, works: list, folder, certificate, databases, round }
      await runRound(task, (run) => {
        runs.push(run)
        process.stderr.write(`${progress(run, list)}\n`)
      })
    }
  }
  await databases.stop()
  const columns = servers.map(({ column }) => column)
  const host = machine(folder)
  say(`\n${heading(host, columns)}\n\n${table(list, columns, runs)}\n`)
  for (const remark of [...reservations(folder), ...remarks(runs)]) say(remark)
  if (options.json) writeJson(options.json, { machine: host, options, columns, runs })
}

function writeJson(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
}

function progress(run: Run, list: readonly Work[]): string {
  const figure = list.find((work) => work.title === run.work)!.figure
  const value = run.figures[figure.key]
  const result = value === undefined ? run.error : `${value.toFixed(figure.digits)} ${figure.unit}`
  return `round ${run.round}, ${run.server}, ${run.work}: ${result}`
}

/** A small try has a share of the sessions. */
function scaled(options: Options): Options {
  const { scale } = options
  const manySessions = Math.ceil(options.manySessions * scale)
  return { ...options, manySessions, stormSessions: Math.ceil(options.stormSessions * scale) }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  const list = works(scaled(options)).filter(
    ({ family, title }) => options.work.includes(family) && title.includes(options.titled),
  )
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'tercet-bench-'))
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'servers'))
  process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143))
  process.on('exit', () => options.keep || rmSync(folder, { recursive: true, force: true }))
  if (options.keep) say(`Folders of the servers: ${folder}`)
  await compare(options, list, folder)
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
})
