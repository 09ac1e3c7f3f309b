// A tercet.yaml in a folder of its own, read with the heads of some modules; and its faults in words.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../../lib/ops/config.js'
import type { ConfigAnswer, ConfigQuestion } from '../../lib/ops/config.js'
import type { ModuleHead } from '../../lib/ops/config-modules.js'
import { bytes, choice, duration, flag, integer, list, text } from '../../lib/ops/options.js'

export const heads: ModuleHead[] = [
  {
    name: 'archive',
    config: {
      keep: duration({ default: '1 year', min: '1 day', max: 'forever', doc: 'How long.' }),
      page: integer({ default: 50, min: 1, max: 250, unit: 'messages', doc: 'A page.' }),
      largest: bytes({ default: '64 KiB', min: '1 KiB', max: '1 MiB', doc: 'A message.' }),
      only: list({ default: [], max: 2, doc: 'Whom.' }),
    },
  },
  { name: 'client-state', config: { on: flag({ default: true, doc: 'On.' }) } },
  {
    name: 'mail',
    config: {
      password: text({ default: '', doc: 'Secret.' }),
      mode: choice({ default: 'daily', choices: ['daily', 'hourly'], doc: 'When.' }),
    },
  },
]

export const names = {
  domain(name: string) {
    if (!/^[a-z.]+$/i.test(name)) throw new Error('a domain is wanted')
    return name.toLowerCase()
  },
  address(name: string) {
    if (!/^[^@]+@[^@/]+$/.test(name)) throw new Error('an address is wanted')
    return name.toLowerCase()
  },
}

export async function read(
  t: { teardown(call: () => void): void },
  yaml: string | Uint8Array,
  more: Partial<ConfigQuestion> = {},
): Promise<ConfigAnswer & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tercet-config-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'tercet.yaml'), yaml)
  writeFileSync(join(folder, 'secret'), 'from a file\n')
  return { folder, ...(await readConfig({ env: {}, cwd: folder, heads, names, ...more })) }
}

/** "line:column path: message" of every fault. */
export function shown({ faults }: ConfigAnswer): string[] {
  return faults.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}
