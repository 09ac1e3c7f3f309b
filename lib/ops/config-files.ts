// Which file is the configuration: --config, else ./tercet.yaml, else /etc/tercet/tercet.yaml, else
// none, which is the defaults. A file that was named must be there; the others need not.

import { existsSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { why } from './config-secrets.js'
import type { Fault } from './config-tree.js'

export const FILE_NAME = 'tercet.yaml'
export const SYSTEM_FILE = '/etc/tercet/tercet.yaml'

export interface ConfigText {
  /** Absolute; undefined where the defaults are used */
  readonly path: string | undefined
  /** As faults show it */
  readonly shown: string
  readonly text: string
  readonly fault?: Fault
}

/** `false`: the defaults, whatever files there are. */
export function findConfig(
  named: string | false | undefined,
  cwd: string,
  systemFile = SYSTEM_FILE,
): ConfigText {
  if (named === false) return { path: undefined, shown: 'the defaults', text: '' }
  const candidates =
    named === undefined ? [resolve(cwd, FILE_NAME), systemFile] : [resolve(cwd, named)]
  const path = candidates.find((candidate) => named !== undefined || existsSync(candidate))
  if (path === undefined) return { path, shown: 'the defaults', text: '' }
  const shown = shownPath(path, cwd)
  try {
    return {
      path,
      shown,
      text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)),
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const message =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'this is not UTF-8'
        : `it cannot be read: ${why(code)}`
    return { path, shown, text: '', fault: { message, path: '', file: shown } }
  }
}

function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short !== '' && !short.startsWith('..') ? short : path
}
