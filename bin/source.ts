// Where the configuration comes from, as the command line says it; and the data folder, for commands
// that only need to find the running server.

import type { ConfigurationSource } from '../lib/core/configuration.js'
import { readConfig } from '../lib/ops/config.js'
import { ConfigError } from '../lib/xmpp/errors.js'
import type { Parsed } from './flags.js'

export function sourceOf(parsed: Parsed): ConfigurationSource {
  return {
    file: parsed.value('config'),
    set: parsed.values('set'),
    env: process.env,
    cwd: process.cwd(),
  }
}

/** Faults elsewhere do not matter here: a running server can be asked while its file is being mended. */
export async function dataFolder(parsed: Parsed): Promise<string> {
  const as = (text: string): string => text
  const answer = await readConfig({
    ...sourceOf(parsed),
    heads: [],
    names: { domain: as, address: as },
  })
  const unreadable = answer.faults.filter(({ path, line }) => path === '' && line === undefined)
  if (unreadable.length > 0) throw new ConfigError(unreadable)
  return answer.data
}
