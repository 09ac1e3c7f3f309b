// The version of this software, read from its package.json once.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function packageFile(folder: string): string {
  const file = join(folder, 'package.json')
  return existsSync(file) ? file : packageFile(dirname(folder))
}

const file = packageFile(dirname(fileURLToPath(import.meta.url)))

export const version = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
