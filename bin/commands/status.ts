// tercet status: whether a server runs on this data folder, and what it serves.

import { askServer } from '../../lib/core/control-client.js'
import type { ServerStatus } from '../../lib/core/control-verbs.js'
import { exitCodes } from '../exit-codes.js'
import { dataFolder } from '../source.js'
import { printTable } from '../table.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const status = (await askServer(await dataFolder(parsed), {
    command: 'server status',
    args: {},
  })) as ServerStatus
  if (parsed.flag('json')) {
    terminal.out(JSON.stringify(status, undefined, 2))
    return exitCodes.ok
  }
  terminal.out(`tercet ${status.version} is running, process ${status.pid}\n`)
  printTable(terminal, status.hosts)
  terminal.out('')
  printTable(
    terminal,
    Object.entries(status.ports).map(([name, ports]) => ({
      listen: name,
      ports: ports.map(String),
    })),
  )
  return exitCodes.ok
}
