// The configuration, where it meets XMPP: the rules of names for lib/ops/config, and its answer as the
// server's settings or a ConfigError with every fault.

import { readConfig } from '../ops/config.js'
import type { ConfigAnswer, ConfigQuestion } from '../ops/config.js'
import type { NameRules } from '../ops/config-settings.js'
import type { Fault } from '../ops/config-tree.js'
import { ConfigError } from '../xmpp/errors.js'
import { Jid } from '../xmpp/jid.js'
import { findModules, loadModule } from './loader.js'
import type { ServerSettings } from './settings.js'

/** What the command line and the environment say of it. */
export interface ConfigurationSource {
  /** false: no file is read */
  readonly file?: string | false | undefined
  readonly set?: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

export interface Configuration {
  readonly settings: ServerSettings
  readonly warnings: readonly Fault[]
  readonly answer: ConfigAnswer
}

export const nameRules: NameRules = {
  domain(text) {
    const jid = Jid.tryParse(text)
    if (jid?.local !== '' || jid.resource !== '')
      throw new Error('a domain is wanted, such as chat.example.com')
    return jid.domain
  },
  address(text) {
    const jid = Jid.tryParse(text)
    if (!jid || jid.local === '' || jid.resource !== '')
      throw new Error('an address is wanted, such as romeo@chat.example.com')
    return jid.text
  },
}

export async function askConfiguration(source: ConfigurationSource): Promise<ConfigAnswer> {
  const question: ConfigQuestion = {
    ...source,
    heads: await findModules(),
    loadHead: loadModule,
    names: nameRules,
  }
  return readConfig(question)
}

/** Throws ConfigError with all faults at once. */
export async function configure(source: ConfigurationSource): Promise<Configuration> {
  const answer = await askConfiguration(source)
  if (!answer.settings) throw new ConfigError(answer.faults)
  return { settings: answer.settings, warnings: answer.warnings, answer }
}
