// What the generated files are made of: the heads of the modules, the verbs of the command line and the
// commands that modules offer. For those a server is set up in a folder of its own, with no port open.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandDescription } from '../../lib/core/control-verbs.js'
import { findModules } from '../../lib/core/loader.js'
import type { Module } from '../../lib/core/module.js'
import { Server } from '../../lib/core/server.js'
import type { ServerSettings } from '../../lib/core/settings.js'
import { silentLog } from '../../lib/ops/log.js'
import { verbs } from '../verbs.js'
import type { Verb } from '../verbs.js'

export interface Facts {
  readonly modules: readonly Module[]
  readonly verbs: readonly Verb[]
  readonly commands: readonly CommandDescription[]
}

export async function gatherFacts(): Promise<Facts> {
  const modules = await findModules()
  return { modules, verbs, commands: await commandsOf(modules) }
}

async function commandsOf(modules: readonly Module[]): Promise<CommandDescription[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-generate-'))
  try {
    const server = await Server.start({ settings: settingsFor(folder), log: silentLog, modules })
    const commands = server
      .commands()
      .map(({ name, summary, parameters }) => ({ name, summary, parameters }))
    await server.stop()
    return commands.sort((a, b) => (a.name < b.name ? -1 : 1))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function settingsFor(data: string): ServerSettings {
  const host = {
    encryption: 'optional',
    registration: 'closed',
    passwordRounds: 1,
    scramSha1: false,
  } as const
  return {
    hosts: [{ ...host, domain: 'localhost', admins: [], tls: undefined, modules: {} }],
    data,
    database: 'sqlite',
    durability: 'crash',
    limits: 'default',
    listen: { c2s: [], c2s_tls: [], http: [], https: [], proxies: [] },
  }
}
