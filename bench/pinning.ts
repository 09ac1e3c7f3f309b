// Which core does what: the server on the first, the generator on the second. With one core, or
// without taskset, nothing is pinned and the report says so.
import { availableParallelism } from 'node:os'
import { hasProgram } from './programs.js'

export const SERVER_CORE = 0
const GENERATOR_CORE = 1

export const cores = availableParallelism()
export const pinned = cores > 1 && hasProgram('taskset')

function on(core: number, command: readonly string[]): string[] {
  return pinned ? ['taskset', '-c', String(core), ...command] : [...command]
}

export const onServerCore = (command: readonly string[]) => on(SERVER_CORE, command)
export const onGeneratorCore = (command: readonly string[]) => on(GENERATOR_CORE, command)
