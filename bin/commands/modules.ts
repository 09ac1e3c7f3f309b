// tercet modules: those of the running server; where none runs, those that are built in.

import { NotRunning, askServer } from '../../lib/core/control-client.js'
import type { Row } from '../../lib/core/commands.js'
import { findModules } from '../../lib/core/loader.js'
import { exitCodes } from '../exit-codes.js'
import { dataFolder } from '../source.js'
import { printTable } from '../table.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const { running, rows } = await listed(await dataFolder(parsed))
  if (parsed.flag('json')) {
    terminal.out(JSON.stringify(rows, undefined, 2))
    return exitCodes.ok
  }
  printTable(terminal, rows)
  if (!running) terminal.err('no server is running here: these are the built-in modules')
  return exitCodes.ok
}

async function listed(folder: string): Promise<{ running: boolean; rows: readonly Row[] }> {
  try {
    const rows = (await askServer(folder, { command: 'server modules', args: {} })) as Row[]
    return { running: true, rows }
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error
    const found = await findModules()
    return {
      running: false,
      rows: found.map(({ name, summary, xeps }) => ({
        name,
        summary,
        xeps: Object.keys(xeps ?? {}),
      })),
    }
  }
}
