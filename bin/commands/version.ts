// tercet version

import { version } from '../../lib/ops/version.js'
import { exitCodes } from '../exit-codes.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  terminal.out(
    parsed.flag('json')
      ? JSON.stringify({ version, node: process.versions.node })
      : `tercet ${version}`,
  )
  return exitCodes.ok
}
