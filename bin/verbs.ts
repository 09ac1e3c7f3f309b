// The verbs of `tercet` that are its own; those of modules come from the running server. Each is
// loaded when it is called. The manual, the man page and shell completion are made from this list.

import { createRequire } from 'node:module'
import { commonFlags } from './flags.js'
import type { Flag, Parsed } from './flags.js'
import type { Terminal } from './terminal.js'

export interface Verb {
  readonly name: string
  readonly summary: string
  /** Words after the name, as the usage line shows them */
  readonly words?: string
  readonly most?: number
  readonly flags: readonly Flag[]
  load(): Promise<{ run: Run }>
}

/** Resolves to the exit code. */
export type Run = (parsed: Parsed, terminal: Terminal) => Promise<number>

const { config, set, json } = commonFlags
/** Hundreds of files, for who waits for a server to start: faster than `import`, which waits for each. */
const require = createRequire(import.meta.url)
const log: Flag = {
  name: 'log',
  takes: 'LEVEL',
  choices: ['debug', 'info', 'warn', 'error'],
  doc: 'How much the log tells: debug, info, warn or error; default info',
}

export const verbs: readonly Verb[] = [
  {
    name: 'start',
    summary: 'Runs the server in the foreground',
    flags: [config, set, log],
    load: async () => require('./commands/start.js'),
  },
  {
    name: 'demo',
    summary: 'Tries it: two users who are contacts, on this machine only; data in ./tercet-demo',
    flags: [set, log],
    load: () => import('./commands/demo.js'),
  },
  {
    name: 'check',
    summary: 'Checks the configuration: all faults at once, each with its place',
    flags: [config, set, json],
    load: () => import('./commands/check.js'),
  },
  {
    name: 'config print',
    summary: 'Prints the configuration in force, defaults included; secrets are masked',
    flags: [config, set, json],
    load: () => import('./commands/config-print.js'),
  },
  {
    name: 'reload',
    summary:
      'Makes the running server read its configuration again; the old one stays where the new has faults',
    flags: [config, set, json],
    load: () => import('./commands/reload.js'),
  },
  {
    name: 'status',
    summary: 'Shows the running server: its hosts, sessions and ports',
    flags: [config, set, json],
    load: () => import('./commands/status.js'),
  },
  {
    name: 'cluster status',
    summary: 'Shows the nodes of the running server: what they do, whether they agree',
    flags: [config, set, json],
    load: () => import('./commands/cluster-status.js'),
  },
  {
    name: 'cluster drain',
    summary: 'Moves the clients of a node to the others, a few at a time; then it can be stopped',
    words: '[NODE]',
    most: 1,
    flags: [
      {
        name: 'within',
        takes: 'TIME',
        doc: 'Over how long it is spread; default 10 seconds, longer where clients are very many',
      },
      { name: 'undo', doc: 'Has the node take clients again' },
      config,
      set,
      json,
    ],
    load: () => import('./commands/cluster-drain.js'),
  },
  {
    name: 'modules',
    summary: 'Lists the modules of the running server, or those that are built in',
    flags: [config, set, json],
    load: () => import('./commands/modules.js'),
  },
  {
    name: 'pipeline',
    summary: 'Shows which modules have a say in a hook of the running server, by phase',
    words: 'HOOK',
    most: 1,
    flags: [config, set, json],
    load: () => import('./commands/pipeline.js'),
  },
  {
    name: 'version',
    summary: 'Prints the version',
    flags: [json],
    load: () => import('./commands/version.js'),
  },
]
