// tercet pipeline HOOK: who has a say in a hook, phase by phase. Inside a phase there is no order.

import { askServer } from '../../lib/core/control-client.js'
import type { Row } from '../../lib/core/commands.js'
import { stanzaHooks } from '../../lib/core/pipeline.js'
import { UsageError, exitCodes } from '../exit-codes.js'
import { dataFolder } from '../source.js'
import { printTable } from '../table.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const [hook] = parsed.words
  if (hook === undefined) throw new UsageError(`which hook? One of ${stanzaHooks.join(', ')}`)
  const rows = (await askServer(await dataFolder(parsed), {
    command: 'server pipeline',
    args: { hook },
  })) as Row[]
  if (parsed.flag('json')) terminal.out(JSON.stringify(rows, undefined, 2))
  else printTable(terminal, rows)
  return exitCodes.ok
}
