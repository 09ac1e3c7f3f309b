// tercet config print: every key with the value in force, as YAML that could be a configuration file,
// or as JSON. Secrets are masked.

import { stringify } from 'yaml'
import { askConfiguration } from '../../lib/core/configuration.js'
import { findModules } from '../../lib/core/loader.js'
import { effective } from '../../lib/ops/config-effective.js'
import { ConfigError } from '../../lib/xmpp/errors.js'
import { exitCodes } from '../exit-codes.js'
import { printWarnings } from '../fault-report.js'
import { sourceOf } from '../source.js'
import type { Run } from '../verbs.js'

export const run: Run = async (parsed, terminal) => {
  const answer = await askConfiguration(sourceOf(parsed))
  if (answer.faults.length > 0) throw new ConfigError(answer.faults)
  const values = effective(answer, await findModules())
  printWarnings(terminal, answer.warnings)
  if (parsed.flag('json')) terminal.out(JSON.stringify(values, undefined, 2))
  else terminal.out(stringify(values, { lineWidth: 0 }).trimEnd())
  return exitCodes.ok
}
