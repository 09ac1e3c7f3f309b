// tercet cluster status: the nodes of the running server, as they say of themselves.

import type { Row } from '../../lib/core/commands.js'
import { askServer } from '../../lib/core/control-client.js'
import { exitCodes } from '../exit-codes.js'
import { dataFolder } from '../source.js'
import { printTable } from '../table.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const request = { command: 'cluster status', args: {} }
  const rows = (await askServer(await dataFolder(parsed), request)) as Row[]
  if (parsed.flag('json')) terminal.out(JSON.stringify(rows, undefined, 2))
  else printTable(terminal, rows)
  return exitCodes.ok
}
