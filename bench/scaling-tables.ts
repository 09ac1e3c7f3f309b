// `npm run scaling` writes the tables of docs/scaling.md anew; `--check` writes nothing and fails where they
// are not what scaling.ts says. The words around them are written by people.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { constants } from './scaling-constants.js'
import { type Scale, scaleOf } from './scaling.js'

export const SIZES = [10_000, 1_000_000, 50_000_000, 500_000_000]

type Row = readonly [title: string, cell: (scale: Scale) => string]

/** Two figures that count are as exact as this is. */
export function round(value: number): string {
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return 'never'
  const digits = Math.max(0, 1 - Math.floor(Math.log10(Math.abs(value))))
  const shown = Number(value.toPrecision(value < 1000 ? 2 : 3))
  return shown.toLocaleString('en', { maximumFractionDigits: digits })
}

const whole = (value: number) => value.toLocaleString('en')
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']

export function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3))
  return value === 0 ? '–' : `${round(value / 1000 ** step)} ${UNITS[step]}`
}

const named = (users: number) =>
  users >= 1e6 ? `${users / 1e6} million users` : `${whole(users)} users`

const load: readonly Row[] = [
  ['connected at the peak', ({ connected }) => whole(connected)],
  ['messages a second at the peak', ({ messages }) => round(messages)],
  ['machines for Tercet', ({ machines }) => whole(machines)],
  ['memory for their sessions', ({ memoryBytes }) => bytes(memoryBytes)],
  ['cells', ({ cells }) => whole(cells)],
  ['Redis primaries in all', ({ cells, cell }) => whole(cells * cell.redisPrimaries)],
  ['log a day in all', ({ cells, cell }) => bytes(cells * cell.diskBytesADay)],
]

const cell: readonly Row[] = [
  ['machines', ({ cell }) => whole(cell.machines)],
  ['nodes', ({ cell }) => whole(cell.nodes)],
  ['messages recorded a second', ({ cell }) => round(cell.messages)],
  ['sessions bound a second', ({ cell }) => round(cell.binds)],
  ['the row of numbers is wanted, of a second', ({ cell }) => `${round(cell.rowLoad)} s`],
  ['a commit waits for it', ({ cell }) => `${round(cell.wait)} ms`],
  ['Redis commands a second', ({ cell }) => round(cell.redisCommands)],
  ['Redis primaries', ({ cell }) => whole(cell.redisPrimaries)],
  ['bus a second', ({ cell }) => bytes(cell.busBytes)],
  ['cores that PostgreSQL is busy', ({ cell }) => round(cell.postgresCores)],
  ['log a day', ({ cell }) => bytes(cell.diskBytesADay)],
]

const message: readonly Row[] = [
  ['Tercet', ({ message }) => `${round(message.tercet)} µs`],
  ['PostgreSQL', ({ message }) => `${round(message.postgres)} µs`],
  ['Redis', ({ message }) => `${round(message.redis)} µs`],
  ['Redis commands', ({ message }) => round(message.commands)],
  ['bytes on the bus', ({ message }) => bytes(message.busBytes)],
  ['bytes in the log', ({ message }) => bytes(message.diskBytes)],
]

const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

function bySize(rows: readonly Row[]): string {
  const scales = SIZES.map((users) => scaleOf(users))
  return [
    line(['', ...SIZES.map(named)]),
    line(['---', ...SIZES.map(() => '---:')]),
    ...rows.map(([title, cell]) => line([title, ...scales.map(cell)])),
  ].join('\n')
}

function reckonedWith(): string {
  const rows = Object.values(constants).map(({ what, value, unit, ...from }) => {
    const source = 'measured' in from && from.measured ? `\`${from.measured}\`` : 'assumed: '
    const why = 'assumed' in from && from.assumed ? from.assumed : ''
    return line([what, `${whole(value)} ${unit}`, `${source}${why}`])
  })
  return [
    line(['what', 'value', 'where it comes from']),
    line(['---', '---', '---']),
    ...rows,
  ].join('\n')
}

const tables: Readonly<Record<string, () => string>> = {
  load: () => bySize(load),
  cell: () => bySize(cell),
  message: () => bySize(message),
  constants: reckonedWith,
}

/** Each table stands between two comments that name it. */
export function withTables(text: string): string {
  return Object.entries(tables).reduce((whole, [name, table]) => {
    const place = new RegExp(`(<!-- ${name}: [^\\n]*-->\\n)[^]*?(<!-- end -->)`)
    if (!place.test(whole)) throw new Error(`there is no place for the table ${name}`)
    return whole.replace(place, (_, begin: string, end: string) => `${begin}\n${table()}\n\n${end}`)
  }, text)
}

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder))
}

export const documentPath = () =>
  join(rootOf(dirname(fileURLToPath(import.meta.url))), 'docs', 'scaling.md')

function main(check: boolean): void {
  const path = documentPath()
  const before = readFileSync(path, 'utf8')
  const after = withTables(before)
  if (after === before) return
  if (!check) writeFileSync(path, after)
  process.stderr.write(`docs/scaling.md ${check ? 'is stale: npm run scaling' : 'written'}\n`)
  process.exitCode = check ? 1 : 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.includes('--check'))
