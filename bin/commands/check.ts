// tercet check: the configuration as the server would read it. It opens nothing and changes nothing.

import { askConfiguration } from '../../lib/core/configuration.js'
import { exitCodes } from '../exit-codes.js'
import { printFaults, printWarnings } from '../fault-report.js'
import { sourceOf } from '../source.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const { file, faults, warnings } = await askConfiguration(sourceOf(parsed))
  const good = faults.length === 0
  if (parsed.flag('json')) {
    terminal.out(JSON.stringify({ file: file ?? null, faults, warnings }, undefined, 2))
  } else {
    printWarnings(terminal, warnings)
    if (!good) printFaults(terminal, faults)
    else
      terminal.out(
        `${file ?? 'the defaults (there is no tercet.yaml)'}: ${terminal.style('green', 'no fault')}`,
      )
  }
  return good ? exitCodes.ok : exitCodes.configuration
}
