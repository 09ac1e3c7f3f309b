// Other programs that the bench needs or looks for on this machine.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

/** Server programs live in folders that an ordinary user's path leaves out. */
const FOLDERS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']

export function hasProgram(name: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The standard output of a program that ended well. */
export function outputOf(command: string, ...parameters: string[]): string | undefined {
  const run = spawnSync(command, parameters, { encoding: 'utf8' })
  return run.status === 0 ? run.stdout.trim() : undefined
}

/** The version of an installed Debian package. */
export function installedVersion(name: string): string | undefined {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax of dpkg
  const form = '-f=${db:Status-Status} ${Version}'
  const answer = outputOf('dpkg-query', '-W', form, name)
  return answer?.startsWith('installed ') ? answer.slice('installed '.length) : undefined
}
