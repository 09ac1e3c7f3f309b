// Faults of the configuration for people: place, what is wrong, and the lines around it.

import type { ConfigFault } from '../lib/xmpp/errors.js'
import { clean } from './terminal.js'
import type { Terminal } from './terminal.js'

const MOST = 50

export function showPlace({ file, line, column }: ConfigFault): string {
  return [file, line, column].filter((part) => part !== undefined).join(':')
}

/** "tercet.yaml:3:5: listen.c2s: …" */
export function showFault(fault: ConfigFault): string {
  return [showPlace(fault), fault.path, clean(fault.message)]
    .filter((part) => part !== '')
    .join(': ')
}

export function printFaults(terminal: Terminal, faults: readonly ConfigFault[]): void {
  for (const fault of faults.slice(0, MOST)) {
    terminal.err(terminal.errStyle('red', showFault(fault)))
    if (fault.frame !== undefined) terminal.err(`${fault.frame}\n`)
  }
  if (faults.length > MOST) terminal.err(`and ${faults.length - MOST} more`)
  terminal.err(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} in the configuration`)
}

export function printWarnings(terminal: Terminal, warnings: readonly ConfigFault[]): void {
  for (const warning of warnings)
    terminal.err(terminal.errStyle('yellow', `warning: ${showFault(warning)}`))
}
