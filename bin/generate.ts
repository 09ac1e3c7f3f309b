// Writes every file that is made from declarations: the sample configuration, the references, the
// schema, the list of XEPs, shell completion and the man page. `--check` writes nothing and fails,
// naming them, where files are not what their declarations say. A folder writes there instead.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandsManual, manPage } from './generate/commands-manual.js'
import { bash, fish, zsh } from './generate/completion.js'
import { doap } from './generate/doap.js'
import { gatherFacts } from './generate/facts.js'
import type { Facts } from './generate/facts.js'
import { configurationManual, modulesManual } from './generate/manual.js'
import { sample } from './generate/sample.js'
import { schema } from './generate/schema.js'

const files: Readonly<Record<string, (facts: Facts) => string>> = {
  'conf/tercet.example.yaml': sample,
  'docs/configuration.md': configurationManual,
  'docs/modules.md': modulesManual,
  'docs/commands.md': commandsManual,
  'docs/tercet.schema.json': schema,
  'doap.xml': doap,
  'packaging/completion/tercet.bash': bash,
  'packaging/completion/_tercet': zsh,
  'packaging/completion/tercet.fish': fish,
  'packaging/tercet.1': manPage,
}

const [given] = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const root = given ?? rootOf(dirname(fileURLToPath(import.meta.url)))

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootOf(dirname(folder))
}

async function generate(check: boolean): Promise<number> {
  const facts = await gatherFacts()
  const stale = Object.entries(files).filter(([path, write]) => read(path) !== write(facts))
  for (const [path, write] of check ? [] : stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), write(facts))
  }
  for (const [path] of stale) process.stderr.write(`${path} ${check ? 'is stale' : 'written'}\n`)
  if (check && stale.length > 0) process.stderr.write('npm run generate writes them\n')
  return check && stale.length > 0 ? 1 : 0
}

function read(path: string): string | undefined {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined
}

process.exitCode = await generate(process.argv.includes('--check'))
