// tercet reload: the running server reads its own configuration again, with the flags it was started
// with. --config and --set here only help to find it.

import { askServer } from '../../lib/core/control-client.js'
import { exitCodes } from '../exit-codes.js'
import { dataFolder } from '../source.js'
import { clean } from '../terminal.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const changes = (await askServer(await dataFolder(parsed), {
    command: 'server reload',
    args: {},
  })) as string[]
  if (parsed.flag('json')) terminal.out(JSON.stringify({ changes }, undefined, 2))
  else if (changes.length === 0) terminal.out('nothing changed')
  else for (const change of changes) terminal.out(clean(change))
  return exitCodes.ok
}
